package cli

import (
	"strings"
	"unicode/utf8"
)

const columnGap = "  "

// cell is a text and its colour.
type cell struct {
	text  string
	paint paint
}

// table lines up columns. Colours are put on after the measuring, since they take no room.
type table struct{ rows [][]cell }

func (t *table) add(cells ...cell) { t.rows = append(t.rows, cells) }

func (t *table) head(names ...string) {
	row := make([]cell, len(names))
	for i, n := range names {
		row[i] = cell{n, faint}
	}
	t.rows = append(t.rows, row)
}

func (t *table) print(s *Streams, indent string) {
	var width []int
	for _, row := range t.rows {
		for i, c := range row {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(c.text))
		}
	}
	for _, row := range t.rows {
		line := indent
		for i, c := range row {
			line += s.paint(c.paint, c.text)
			if i < len(row)-1 {
				line += strings.Repeat(" ", width[i]-utf8.RuneCountInString(c.text)) + columnGap
			}
		}
		s.printf("%s\n", strings.TrimRight(line, " "))
	}
}

func text(s string) cell { return cell{text: clean(s)} }

func facts(m map[string]string) string {
	return strings.Join(pairs(m), " ")
}
