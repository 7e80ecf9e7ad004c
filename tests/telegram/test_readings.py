"""Markdown as models write it, and what a person expects to read."""

import pytest

from tests.telegram.markdown import formatted, shown

FENCE = "```"


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(
    "text",
    [
        "5! = 5*4*3*2*1 = 120",
        "a * b * c, f(*args, **kwargs) and m*c*c",
        "2**3**2 and x**2 + y**2",
        "Edit __init__.py, __main__ and obj.__class__.__name__",
        "snake_case_name, my__dunder__x and _private",
        "foo_(a) and _foo_(b)",
        "https://api.example/v1/_user_id_/details",
        "http://x/__init__.py and https://a.b/c*d*e and www.a.b/_c_/d",
        "See (https://a.b/c_(d)_e), then https://a.b/?x=1&copy=2.",
        "me_a_@x.example @user_name_x #tag_a /cmd_x",
        r"C:\Users\_x_\*.txt and \\server\share",
        "src/*.py, src/**/a/**/b and /usr/_x_/y",
        "2. B\n4. D\n7. A",
        "1969. Moon\n1972. Last\n1989. Wall",
        "1) a\n2) b",
        "costs $5 and $10, or $5-$10 (US$20), in $HOME_DIR",
        "if (a||b||c) and a || b",
        "List<String>, Map<a:b>, Vec<T> and a <b and c> d",
        "Use <b> and </b> tags, and <center>this</center>",
        "~5 minutes, ~10 at most",
        "dp[i](j) = arr[0](x)",
        "AT&T, &notaname; and 3 > 2",
        "[!NOTE] and [ ] and []() text",
        "-5 degrees\n+49 30 1234",
        "#hashtag\n#1 is first",
        "<!-- a comment --> text",
        ">= 3, and >5 of them",
        ">>> import this",
        ">5 of them",
        "f(**kwargs), g(a, **options) and h(*args, x*y)",
        "if a == b and c == d, or a==b==c",
        "?a==1&b==2, YWJj== and ZGVm== ==> done <==",
        "x ==='a' and y !== 'b'",
    ],
)
def test_text_that_is_no_markup_is_shown_as_it_was_written(text: str) -> None:
    assert shown(text) == text
    assert formatted(text) == []


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(
    ("source", "bold"),
    [
        ("**注意：**先备份", "注意："),
        ("this is ==marked here== too", "marked here"),
        ("中文==重点==文字", "重点"),
        ("**Важно:**текст", "Важно:"),
        ("这是**“引用”**文字", "“引用”"),
        ("**「強調」**する", "「強調」"),
        ("중요한**내용**입니다", "내용"),
        ("**50%**of it", "50%"),
        ("**5**kg", "5"),
        ("Hyper**T**ext", "T"),
        ("see **https://a.b/c**, please", "https://a.b/c"),
        ("**https://a.b/c**后面", "https://a.b/c"),
        ("<b>HTML</b> text", "HTML"),
        ("__plain__ text", "plain"),
        ("**__init__.py**", "__init__.py"),
        ("**Note: **text", "Note: "),
        ("<h2>Title</h2>\ntext", "Title"),
    ],
)
def test_bold_text_is_bold_in_every_script(source: str, bold: str) -> None:
    assert formatted(source) == [("bold", bold)]
    assert "**" not in shown(source)


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("<i>a</i> <u>b</u> <s>c</s>", "a b c", [("italic", "a"), ("underline", "b"), ("strikethrough", "c")]),
        (
            "<code>a_b_c</code> <kbd>Ctrl</kbd>+<kbd>C</kbd>",
            "a_b_c Ctrl+C",
            [("code", "a_b_c"), ("code", "Ctrl"), ("code", "C")],
        ),
        ("H<sub>2</sub>O, x<sup>2</sup>, y<sup>th;</sup>", "H₂O, x², y^(th;)", []),
        ('<a href="https://a.b/c_d_">e</a>', "e", [("text_link", "e -> https://a.b/c_d_")]),
        ("a<br>b<br/>\nc", "a\nb\nc", []),
        ("<pre>\n  x &lt; y\n    z\n</pre>\nend", "  x < y\n    z\nend", [("pre", "  x < y\n    z")]),
        (
            '<pre><code class="language-py">def f():\n    g()\n</code></pre>',
            "def f():\n    g()",
            [("pre", "def f():\n    g()")],
        ),
        (
            "<details><summary>More</summary>\n\nHidden **text**\n\n- a\n\n</details>\n\nend",
            "More\n\nHidden text\n\n• a\n\nend",
            [("bold", "More"), ("expandable_blockquote", "Hidden text\n\n• a"), ("bold", "text")],
        ),
        (
            "<details>\n<summary>More</summary>\nHidden\n</details>\nend",
            "More\nHidden\nend",
            [("bold", "More"), ("expandable_blockquote", "Hidden")],
        ),
        ("**a `b` c**", "a b c", [("bold", "a "), ("code", "b"), ("bold", " c")]),
        ("<b>a *b</b> c*", "a b c", [("bold", "a b"), ("italic", "b"), ("italic", " c")]),
        ("[`a`](https://b.c)", "a", [("text_link", "a -> https://b.c")]),
        ("> a\n> - b\n>\n> ```\n> c\n> ```", "a\n• b\n\nc", [("blockquote", "a\n• b\n\nc"), ("pre", "c")]),
        ("> [!NOTE]\n> text", "ℹ️ Note\ntext", [("blockquote", "ℹ️ Note\ntext"), ("bold", "ℹ️ Note")]),
        ("> [!tip]\n> - a", "💡 Tip\n• a", [("blockquote", "💡 Tip\n• a"), ("bold", "💡 Tip")]),
    ],
)
def test_html_and_nested_markup_are_read(source: str, text: str, entities: list[tuple[str, str]]) -> None:
    assert shown(source) == text
    assert formatted(source) == entities


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(
    ("source", "text", "links"),
    [
        ("![](https://a.b/c.png)", "🖼 https://a.b/c.png", ["https://a.b/c.png -> https://a.b/c.png"]),
        ("![alt](https://a.b/c.png)", "🖼 alt", ["alt -> https://a.b/c.png"]),
        ("![alt](c.png)", "🖼 alt (c.png)", []),
        ("[a](https://b.c/d_(e)_f)", "a", ["a -> https://b.c/d_(e)_f"]),
        ('[a](https://b.c "The title")', "a (The title)", ["a -> https://b.c"]),
        ("[a](<https://b.c/d e>)", "a", ["a -> https://b.c/d%20e"]),
        ("[a](./docs/b.md) [c](#d)", "a (./docs/b.md) c", []),
        ("[write](mailto:a@b.c) [call](tel:+491)", "write (a@b.c) call (+491)", []),
        (
            "[a][1], [1] and [b]\n\n[1]: https://c.d\n[e]: https://f.g",
            "a, 1 and [b]\n\n[e]: https://f.g",
            ["a -> https://c.d", "1 -> https://c.d"],
        ),
        ("a[^1]\n\n[^1]: https://b.c", "a[1]\n\n[1]: https://b.c", []),
        ("[![a](https://b.c/d.png)](https://e.f)", "🖼 a (https://e.f)", ["a -> https://b.c/d.png"]),
        ("<https://a.b/c> <d@e.f>", "https://a.b/c d@e.f", []),
    ],
)
def test_no_address_is_lost(source: str, text: str, links: list[str]) -> None:
    assert shown(source) == text
    assert [link for _, link in formatted(source, "text_link")] == links


@pytest.mark.promise("markdown")
@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("$x^2$, \\(x_{ij}\\), $x_{ij}$ and $n$", "x², xᵢⱼ, xᵢⱼ and n"),
        ("\\[\nx = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}\n\\]\nend", "x = (-b ± √(b² - 4ac))/(2a)\nend"),
        ("$$\\sum_{i=1}^n i$$", "∑ᵢ₌₁ⁿ i"),
        ("so $\\unknown{x}$", "so \\unknown{x}"),
        ("1. a\n1. b\n1. c", "1. a\n2. b\n3. c"),
        ("- [ ] a\n- [x] b\n  - [ ] c", "☐ a\n☑ b\n  ☐ c"),
        ("1. a\n   b\n\n   c\n2. d", "1. a\n  b\n\n  c\n2. d"),
        ("1. a\n  - b\n2. c\n  - d", "1. a\n  • b\n2. c\n  • d"),
        ("1. a\n - b\n1. c", "1. a\n  • b\n2. c"),
        ("**yes**/**no**, *Haus*ärzte", "yes/no, Hausärzte"),
        ("the $n$th and $x$", "the nth and x"),
        ("a:\n| b | c |\n|---|---|\n| 1 | 2 |\nd", "a:\nb | c\n--+--\n1 | 2\nd"),
        ("- > q\n- # H\n-\n- e", "•\nq\n• H\n•\n• e"),
        ("+ fast\n- slow", "+ fast\n• slow"),
        ("A paragraph that ends.\n---\nnext", "A paragraph that ends.\n———\nnext"),
        ("a\\*b\\_c \\# d  \ne\\\nf", "a*b_c # d\ne\nf"),
        ("| a | b | c |\n|---|---|---|\n| `x | y` | d | e |", "a     | b | c\n------+---+--\nx | y | d | e"),
        ("| a | b |\n|---|--:|\n| 漢字 | 1 | extra |", "a    | b |      \n-----+---+------\n漢字 | 1 | extra"),
        (
            f"{FENCE}markdown\n# T\n{FENCE}py\nx\n{FENCE}\nend\n{FENCE}\nafter",
            f"# T\n{FENCE}py\nx\n{FENCE}\nend\nafter",
        ),
        (f"{FENCE} words and more\nx\n{FENCE}", "words and more\nx"),
        ("שלום *עולם*", "שלום עולם"),
    ],
)
def test_formulas_lists_tables_and_fences_read_as_they_were_meant(source: str, text: str) -> None:
    assert shown(source) == text


def test_a_wide_table_keeps_the_words_of_its_head_and_of_rows_that_are_too_long() -> None:
    source = "| Option | What it does |\n|---|---|\n| `-a` | " + "long " * 12 + "| extra |\n"
    assert shown(source) == f"Option: What it does\n• -a: {('long ' * 12).strip()}: extra"
    source = "| City | Known for | Where |\n|---|---|---|\n| Pisa | " + "long " * 12 + "| |\n"
    assert shown(source) == f"City: Pisa\n• Known for: {('long ' * 12).strip()}\n• Where: –"
