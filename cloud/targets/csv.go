package targets

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// separators of columns, the likeliest first.
const separators = ",;\t"

func readCSV(l *targetList) error {
	l.noun = "column "
	columns, separator, above, err := readHeader(l)
	if err != nil || columns == nil {
		return err
	}
	rows := csvReader(l.in, separator)
	line := func(cell int) uint32 {
		n, _ := rows.FieldPos(cell)
		return above + uint32(n)
	}
	last := place{line: above}
	for {
		l.text.next()
		cells, err := rows.Read()
		var quote *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &quote) && !l.text.ended(): // else it is no wonder that a quote is open
			last.line = above + uint32(quote.StartLine)
			want := fmt.Sprintf("has a quote out of place (line %d, character %d); want quotes around the whole value with "+
				"nothing between them and the separators, and quotes inside it doubled", above+uint32(quote.Line), quote.Column)
			if err := l.problem(last, "", "", want); err != nil {
				return err
			}
			continue
		case err != nil:
			return l.broken(place{line: last.line + 1}, err.Error())
		}
		last.line = line(0)
		d, blank := draft{at: last}, true
		for i, cell := range cells {
			if cell = strings.TrimSpace(cell); cell == "" {
				continue
			}
			blank = false
			if i >= len(columns) || columns[i] == "" {
				err = l.problem(place{line: line(i)}, fmt.Sprint(i+1), membership.Quote(cell),
					"stands under no name of the header; want a name there, or no value")
			} else {
				err = l.set(&d, line(i), columns[i], cell)
			}
			if err != nil {
				return err
			}
		}
		if blank { // spreadsheets write them at the end
			continue
		}
		if err := l.add(d); err != nil {
			return err
		}
	}
}

// readHeader reads up to the first line that is not blank and not a comment. It returns the names of the columns, what
// separates them, and how many lines were read; no columns where there is no such line.
func readHeader(l *targetList) (columns []string, separator rune, lines uint32, err error) {
	for {
		l.text.next()
		line, err := l.in.ReadString('\n')
		if lines++; err != nil && !errors.Is(err, io.EOF) {
			return nil, 0, 0, l.broken(place{line: lines}, err.Error())
		}
		text := strings.TrimSpace(line)
		switch {
		case text != "" && text[0] != '#':
			columns, separator, err := parseHeader(l, place{line: lines}, strings.TrimRight(line, "\r\n"))
			return columns, separator, lines, err
		case err != nil:
			return nil, 0, lines, nil // there is nothing behind it, either
		}
	}
}

// parseHeader splits a header at the first separator that gives it a column for the members.
func parseHeader(l *targetList, at place, line string) ([]string, rune, error) {
	for _, separator := range separators {
		columns, err := csvReader(strings.NewReader(line), separator).Read()
		if err != nil {
			continue
		}
		first, member := make(map[string]string), false
		var twice []string
		for i, c := range columns {
			columns[i] = strings.TrimSpace(c)
			name := columns[i]
			if r := role(name); r != "" {
				member = member || r == "member"
				name = r
			}
			if _, there := first[name]; there && name != "" {
				twice = append(twice, columns[i])
			}
			first[name] = columns[i]
		}
		if !member {
			continue
		}
		for _, name := range twice {
			_ = l.problem(at, name, "", "is there twice (member and id are the same); want each column once") // it ends below
		}
		if len(twice) > 0 {
			return nil, 0, errStop
		}
		return columns, separator, nil
	}
	return nil, 0, l.fatal(at, membership.Quote(line),
		"has no column member or id; want a header such as member,group,zone above the targets")
}

func csvReader(r io.Reader, separator rune) *csv.Reader {
	c := csv.NewReader(r)
	c.Comma = separator
	c.Comment = '#'
	c.FieldsPerRecord = -1                 // what is missing at the end of a line is empty
	c.TrimLeadingSpace = separator != '\t' // a tab before a tab is an empty value, not a space
	c.ReuseRecord = true
	return c
}
