package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// What a terminal is taken for that does not tell its size.
const (
	defaultWidth  = 80
	defaultHeight = 24
)

// line is a line of cells, one right after the other.
type line []cell

func (l line) width() (n int) {
	for _, c := range l {
		n += width(c.text)
	}
	return n
}

// rows is how many rows lines take on a terminal, which wraps those that are too long for it.
func rows(lines []line, columns int) (n int) {
	for _, l := range lines {
		n += max(1, (l.width()+columns-1)/columns)
	}
	return n
}

// width is how many columns of a terminal a text takes.
func width(text string) (n int) {
	for _, r := range text {
		switch {
		case unicode.Is(unicode.Mn, r): // on top of the one before
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul),
			r >= 0x3000 && r <= 0x303F, r >= 0xFF01 && r <= 0xFF60, r >= 0x1F300 && r <= 0x1FAFF: // punctuation, full width, emoji
			n += 2
		default:
			n++
		}
	}
	return n
}

// words are the words of a text, each in the same colour.
func words(text string, p paint) (cells []cell) {
	for _, w := range strings.Fields(clean(text)) {
		cells = append(cells, cell{w, p})
	}
	return cells
}

// wrap lays items out behind a label, in lines of at most so many columns, each beginning below the first item. An item is
// never cut: one that is too long for a line, such as a command to be copied, is left to the terminal to wrap.
func wrap(columns int, label cell, labelWidth int, between string, items []cell) (lines []line) {
	indent := func(text string) string { return strings.Repeat(" ", max(labelWidth-width(text), 0)) }
	now := line{label, {text: indent(label.text)}}
	empty := true
	for _, item := range items {
		if !empty && now.width()+width(between)+width(item.text) >= columns {
			lines = append(lines, now)
			now, empty = line{{text: indent("")}}, true
		}
		if !empty {
			now = append(now, cell{text: between})
		}
		now, empty = append(now, item), false
	}
	return append(lines, now)
}

// size is the terminal's, in columns and rows.
func (s *Streams) size() (columns, height int) {
	if s.Size == nil {
		return defaultWidth, defaultHeight
	}
	columns, height = s.Size()
	if columns <= 0 || height <= 0 {
		return defaultWidth, defaultHeight
	}
	return columns, height
}

// draw puts lines in the place of those that were drawn before, or below what has been printed since. It is one write, so
// that nothing flickers.
func (s *Streams) draw(lines []line) {
	var b strings.Builder
	b.WriteString(s.cleared())
	for _, l := range lines {
		for _, c := range l {
			b.WriteString(s.paint(c.paint, c.text))
		}
		b.WriteByte('\n')
	}
	_, _ = io.WriteString(s.Out, b.String()) // the report's write will tell
	s.drawn = lines
}

// erase takes away what was drawn, unless something has been printed since.
func (s *Streams) erase() {
	if s.drawn != nil {
		_, _ = io.WriteString(s.Out, s.cleared()) // as above
		s.drawn = nil
	}
}

// leave lets what was drawn stand, since something is printed below it. It touches nothing where nothing is drawn: some
// verbs print from more than one goroutine.
func (s *Streams) leave() {
	if s.drawn != nil {
		s.drawn = nil
	}
}

// cleared goes to where the drawing begins and clears all from there. Its lines have been wrapped anew when the terminal is
// narrower than it was; what has left it at the top is out of reach.
func (s *Streams) cleared() string {
	columns, height := s.size()
	up := min(rows(s.drawn, columns), height-1)
	if up <= 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\r\x1b[J", up)
}
