"""The kinds of notes that stand apart from a text, and their signs (pure)."""

from workers.telegram.markdown.names import table

NOTES = table(
    "note ℹ️ info ℹ️ tip 💡 hint 💡 important ❗ warning ⚠️ attention ⚠️ caution 🛑 danger 🛑 error 🛑 bug 🐛 success ✅ "
    "check ✅ done ✅ failure ❌ fail ❌ question ❓ help ❓ faq ❓ todo ☑️ example 📝 quote 💬 cite 💬 "
    "summary 📋 abstract 📋 tldr 📋"
)


def title(kind: str, said: str) -> str:
    """Of a note: its sign, and its kind unless it has a title."""
    return f"{NOTES.get(kind.lower(), '')} {said.replace('**', '').strip() or kind.capitalize()}".strip()
