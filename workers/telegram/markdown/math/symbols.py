"""LaTeX's commands by what they come to in a text (pure)."""

from html.entities import html5

from workers.telegram.markdown.names import names, table

SYMBOLS = {"quad": "  ", "qquad": "    "} | table(
    " neq ≠  ne ≠  to →  gets ←  infty ∞  cdot ·  circ ∘  epsilon ϵ  varepsilon ε  phi ϕ  varphi φ"
    " implies ⟹  impliedby ⟸  iff ⟺  exists ∃  nexists ∄  partial ∂  ldots …  dots …  cdots ⋯  vdots ⋮"
    " ddots ⋱  degree °  land ∧  lor ∨  lnot ¬  neg ¬  lVert ‖  rVert ‖  lvert |  rvert |  iint ∬"
    " backslash \\  surd √  owns ∋  star ⋆  mid |  vert |  lbrace {  rbrace }  lbrack [  rbrack ]"
    " colon :  hbar ℏ  blacksquare ■  aleph ℵ  beth ℶ  dotsc …  dotsb ⋯  qed ∎  prime ′  ast ∗"
    " bmod mod  longmapsto ⟼  mapsto ↦  complement ∁  triangle △  And &  gt >  lt <  textbackslash \\"
    " lgroup (  rgroup )  square □"
)
NOT_SYMBOLS = frozenset({"image", "and", "or", "not", "bar", "dot", "hat", "tilde", "breve", "acute", "grave", "par"})
FUNCTIONS = names(
    "arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim liminf limsup ln log "
    "max min mod Pr sec sin sinh sup tan tanh argmax argmin tr rank sgn"
)
DROPPED = names(
    "displaystyle textstyle scriptstyle limits nolimits nonumber notag left right big Big bigg Bigg bigl bigr "
    "Bigl Bigr biggl biggr Biggl Biggr middle mathop mathrel mathbin centering"
)
PLAIN_ARGUMENT = names(
    "text mathrm mathit mathbf mathsf mathtt mathnormal textbf textit textrm texttt textsf operatorname "
    "boldsymbol bm emph mbox hbox boxed fbox ensuremath pmb bold phantom underline underbrace overbrace"
)
FONTS = {
    "mathbb": ("DOUBLE-STRUCK", "MATHEMATICAL DOUBLE-STRUCK"),
    "mathcal": ("SCRIPT", "MATHEMATICAL SCRIPT"),
    "mathscr": ("SCRIPT", "MATHEMATICAL SCRIPT"),
    "mathfrak": ("BLACK-LETTER", "MATHEMATICAL FRAKTUR"),
}
ACCENTS = table(
    "hat \u0302 widehat \u0302 tilde \u0303 widetilde \u0303 bar \u0304 overline \u0305 vec \u20d7 dot \u0307 "
    "ddot \u0308 acute \u0301 grave \u0300 check \u030c breve \u0306 mathring \u030a"
)
BRACKETS = table("pmatrix () bmatrix [] Bmatrix {} vmatrix || Vmatrix ‖‖") | {"cases": "{ "}
ALIGNED = ("align", "split", "eqnarray", "gather", "multline", "equation")
ESCAPES = {**dict.fromkeys(",;:> \n", " "), **dict.fromkeys("!()[]", ""), "|": "‖"}
"""What is not itself behind a backslash."""
OVER = dict(
    zip(
        "0123456789+-−=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWαβγδθφχ′∘*",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵅᵝᵞᵟᶿᵠᵡ′°*",
        strict=True,
    )
)
UNDER = dict(zip("0123456789+-−=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True))


def symbol(name: str) -> str | None:
    """The character of a command; HTML took most of its names from TeX."""
    return SYMBOLS.get(name) or (None if name in NOT_SYMBOLS else html5.get(f"{name};"))
