"""Draws the cells of a terminal as SVG.

Lines, blocks and dots are drawn as shapes, so that they join whatever the font is. Each run
of letters has its own position and length, so that columns stay columns in any font.
"""

import re
from xml.sax.saxutils import escape

WIDTH, HEIGHT, FONT = 8.4, 18, 14
MARGIN, BAR = 14, 34
FAMILY = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"

# Which of left, right, up and down a line reaches, and whether it is heavy.
LINES = {
    "─": "lr", "│": "ud", "┌": "rd", "┐": "ld", "└": "ru", "┘": "lu",
    "├": "rud", "┤": "lud", "┬": "lrd", "┴": "lru", "┼": "lrud",
    "━": "LR", "┃": "UD", "┏": "RD", "┓": "LD", "┗": "RU", "┛": "LU",
    "┣": "RUD", "┫": "LUD", "┳": "LRD", "┻": "LRU", "╋": "LRUD",
}
ROUND = {"╭": "rd", "╮": "ld", "╰": "ru", "╯": "lu"}
# Left, top, width and height of a block in parts of the cell.
BLOCKS = {"█": (0, 0, 1, 1), "▀": (0, 0, 1, 0.5), "▐": (0.5, 0, 0.5, 1), "▔": (0, 0, 1, 0.125)}
BLOCKS |= {chr(0x2580 + n): (0, 1 - n / 8, 1, n / 8) for n in range(1, 8)}
BLOCKS |= {chr(0x2590 - n): (0, 0, n / 8, 1) for n in range(1, 8)}
SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}
ANSI = ["#000000", "#cd3131", "#0dbc79", "#e5e510", "#2472c8", "#bc3fbc", "#11a8cd", "#e5e5e5",
        "#666666", "#f14c4c", "#23d18b", "#f5f543", "#3b8eea", "#d670d6", "#29b8db", "#ffffff"]


class Style:
    """The current colours and weights of the text."""

    def __init__(self):
        self.fg = self.bg = None
        self.on = set()

    def apply(self, codes):
        codes = [int(code or 0) for code in codes.split(";")]
        weights = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse"}
        while codes:
            code = codes.pop(0)
            if code == 0:
                self.__init__()
            elif code in weights:
                self.on.add(weights[code])
            elif code == 22:
                self.on -= {"bold", "dim"}
            elif code in (23, 24, 27):
                self.on.discard(weights[code - 20])
            elif code in (38, 48):
                self.set(code == 38, extended(codes))
            elif code in (39, 49):
                self.set(code == 39, None)
            elif 30 <= code % 60 <= 37 or 40 <= code % 60 <= 47:
                at = code % 10 + (8 if code >= 90 else 0)
                self.set(code % 60 < 40, ANSI[at])

    def set(self, is_text, color):
        if is_text:
            self.fg = color
        else:
            self.bg = color

    def colors(self, text, ground):
        fg, bg = self.fg or text, self.bg
        return (bg or ground, fg) if "reverse" in self.on else (fg, bg)


def extended(codes):
    """Takes the rest of `38;2;r;g;b` or `38;5;n`."""
    if codes.pop(0) == 2:
        r, g, b = codes.pop(0), codes.pop(0), codes.pop(0)
        return f"#{r:02x}{g:02x}{b:02x}"
    n = codes.pop(0)
    if n < 16:
        return ANSI[n]
    if n >= 232:
        return "#" + f"{8 + 10 * (n - 232):02x}" * 3
    level = lambda v: 0 if v == 0 else 55 + 40 * v
    n -= 16
    return f"#{level(n // 36):02x}{level(n // 6 % 6):02x}{level(n % 6):02x}"


def cells(row, style, text, ground):
    """Splits a row into (character, colour, background, weights). The style lasts until it is changed."""
    found = []
    for codes, char in re.findall("\x1b\\[([0-9;:]*)m|([^\x1b])", row.replace("\x0e", "").replace("\x0f", "")):
        if char:
            fg, bg = style.colors(text, ground)
            found.append((char, fg, bg, frozenset(style.on - {"reverse"})))
        else:
            style.apply(codes.replace(":", ";"))
    return found


def number(value):
    return f"{value:.2f}".rstrip("0").rstrip(".")


def rect(x, y, width, height, fill, more=""):
    x, y, width, height = map(number, (x, y, width, height))
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}"{more}/>'


def line_path(char, x, y):
    """Returns the path of a line character, and how thick it is."""
    cx, cy = x + WIDTH / 2, y + HEIGHT / 2
    ends = {"l": (x, cy), "r": (x + WIDTH, cy), "u": (cx, y), "d": (cx, y + HEIGHT)}
    at = lambda point: f"{number(point[0])} {number(point[1])}"
    if char in ROUND:
        one, other = ROUND[char]
        return f"M{at(ends[one])}Q{at((cx, cy))} {at(ends[other])}", 1.2
    reach = LINES[char]
    return "".join(f"M{at((cx, cy))}L{at(ends[end])}" for end in reach.lower()), 2.4 if reach.isupper() else 1.2


def dots(char, x, y):
    """Returns the path of a braille character, whose bits are its dots."""
    bits = ord(char) - 0x2800
    places = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]
    path = ""
    for bit, (column, row) in enumerate(places):
        if bits >> bit & 1:
            left, top = x + WIDTH * (0.25 + 0.5 * column) - 1, y + HEIGHT * (0.125 + 0.25 * row) - 1
            path += f"M{number(left)} {number(top)}h2v2h-2z"
    return path


class Drawing:
    """Collects shapes; those of one colour become one path."""

    def __init__(self):
        self.grounds, self.texts, self.strokes, self.fills = [], [], {}, {}

    def row(self, row, y):
        self.backgrounds(row, y)
        run = ""
        for column, (char, fg, _, on) in enumerate([*row, (" ", None, None, None)]):
            x = MARGIN + column * WIDTH
            # Letters run together; a sign of its own width does not.
            is_letter = char != " " and ord(char) < 0x2000
            joins = run and is_letter and (fg, on) == style
            if run and not joins:
                self.text(run, start, y, *style)
                run = ""
            if is_letter:
                if not run:
                    start, style = x, (fg, on)
                run += char
            elif char != " ":
                self.sign(char, x, y, fg, on)

    def backgrounds(self, row, y):
        column = 0
        while column < len(row):
            bg, begin = row[column][2], column
            while column < len(row) and row[column][2] == bg:
                column += 1
            if bg:
                self.grounds.append(rect(MARGIN + begin * WIDTH, y, (column - begin) * WIDTH, HEIGHT, bg))

    def sign(self, char, x, y, fg, on):
        opacity = 0.6 if "dim" in on else 1
        if char in LINES or char in ROUND:
            path, width = line_path(char, x, y)
            self.strokes.setdefault((fg, width, opacity), []).append(path)
        elif char in BLOCKS:
            left, top, width, height = BLOCKS[char]
            left, top = number(x + left * WIDTH), number(y + top * HEIGHT)
            path = f"M{left} {top}h{number(width * WIDTH)}v{number(height * HEIGHT)}h{number(-width * WIDTH)}z"
            self.fills.setdefault((fg, opacity), []).append(path)
        elif char in SHADES:
            self.grounds.append(rect(x, y, WIDTH, HEIGHT, fg, f' opacity="{SHADES[char]}"'))
        elif 0x2800 <= ord(char) < 0x2900:
            self.fills.setdefault((fg, opacity), []).append(dots(char, x, y))
        else:
            self.texts.append(
                f'<text x="{number(x + WIDTH / 2)}" y="{number(y + 13.5)}" fill="{fg}" text-anchor="middle"'
                f'{weights(on)}>{escape(char)}</text>')

    def text(self, run, x, y, fg, on):
        self.texts.append(
            f'<text x="{number(x)}" y="{number(y + 13.5)}" textLength="{number(len(run) * WIDTH)}"'
            f' fill="{fg}"{weights(on)}>{escape(run)}</text>')

    def shapes(self):
        yield from self.grounds
        for (color, opacity), paths in self.fills.items():
            yield f'<path fill="{color}"{faint(opacity)} shape-rendering="crispEdges" d="{"".join(paths)}"/>'
        for (color, width, opacity), paths in self.strokes.items():
            yield f'<path stroke="{color}" stroke-width="{width}" fill="none"{faint(opacity)} d="{"".join(paths)}"/>'
        yield from self.texts


def faint(opacity):
    return "" if opacity == 1 else f' opacity="{opacity}"'


def weights(on):
    found = ""
    if "bold" in on:
        found += ' font-weight="bold"'
    if "italic" in on:
        found += ' font-style="italic"'
    if "underline" in on:
        found += ' text-decoration="underline"'
    return found + faint(0.6 if "dim" in on else 1)


def picture(rows, columns, cursor, theme, about):
    """Returns the screen in a plain window, as SVG. `about` says what one sees."""
    drawing, style = Drawing(), Style()
    for at, row in enumerate(rows):
        drawing.row(cells(row, style, theme["text"], theme["bg"]), BAR + at * HEIGHT)
    if cursor:
        x, y = MARGIN + cursor[0] * WIDTH, BAR + cursor[1] * HEIGHT
        drawing.grounds.append(rect(x, y + 1, WIDTH, HEIGHT - 2, theme["text"]))
    width, height = 2 * MARGIN + columns * WIDTH, BAR + len(rows) * HEIGHT + MARGIN
    size = f"{number(width)} {number(height)}"
    frame = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img"'
        f' font-family="{FAMILY}" font-size="{FONT}">',
        f"<title>hoist: {escape(about)}</title>",
        rect(0.5, 0.5, width - 1, height - 1, theme["bg"], f' rx="9" stroke="{theme["sel"]}"'),
    ]
    buttons = [
        f'<circle cx="{MARGIN + 6 + 18 * at}" cy="{BAR / 2}" r="5.5" fill="{theme[role]}"/>'
        for at, role in enumerate(("err", "warn", "ok"))
    ]
    title = f'<text x="{number(width / 2)}" y="{BAR / 2 + 5}" fill="{theme["dim"]}" text-anchor="middle">hoist</text>'
    return "\n".join([*frame, *buttons, title, *drawing.shapes(), "</svg>"]) + "\n"
