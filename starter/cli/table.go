package cli

import "strings"

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
	var wide []int
	for _, row := range t.rows {
		for i, c := range row {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], width(c.text))
		}
	}
	for _, row := range t.rows {
		line := indent
		for i, c := range row {
			line += s.paint(c.paint, c.text)
			if i < len(row)-1 {
				line += strings.Repeat(" ", wide[i]-width(c.text)) + columnGap
			}
		}
		s.printf("%s\n", strings.TrimRight(line, " "))
	}
}

func text(s string) cell { return cell{text: clean(s)} }

func facts(m map[string]string) string {
	return strings.Join(pairs(m), " ")
}
