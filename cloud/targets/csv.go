package targets

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// separators of columns, the likeliest first.
const separators = ",;\t"

// separatorNames are what people call them.
var separatorNames = map[rune]string{',': "commas", ';': "semicolons", '\t': "tabs"}

// column is a column of a table.
type column struct {
	name string
	meaning
}

// table is how a CSV file is to be read.
type table struct {
	columns   []column
	separator rune
	above     uint32    // lines that were read
	rows      io.Reader // the others
}

func readCSV(l *targetList) error {
	l.noun = "column "
	t, err := readHeader(l)
	if err != nil || t == nil {
		return err
	}
	rows := csvReader(t.rows, t.separator)
	line := func(cell int) uint32 {
		n, _ := rows.FieldPos(cell)
		return t.above + uint32(n)
	}
	last := place{line: t.above}
	for {
		l.text.next()
		cells, err := rows.Read()
		var quote *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &quote) && !l.text.ended(): // else it is no wonder that a quote is open
			last.line = t.above + uint32(quote.StartLine)
			want := fmt.Sprintf("has a quote out of place (line %d, character %d); want quotes around the whole value with "+
				"nothing between them and the separators, and quotes inside it doubled", t.above+uint32(quote.Line), quote.Column)
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
			switch {
			case t.columns == nil && i == 0:
				err = l.id(&d, cell)
			case i >= len(t.columns) || t.columns[i].name == "":
				err = l.problem(place{line: line(i)}, fmt.Sprint(i+1), membership.Quote(cell),
					"stands under no name of the header; want a name there, or no value")
			default:
				err = l.give(&d, line(i), t.columns[i].name, cell, t.columns[i].meaning)
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

// readHeader reads up to the first line that is not blank, not a comment and not Excel's word on the separator. It returns
// nil where there is no such line.
func readHeader(l *targetList) (*table, error) {
	allowed, lines := separators, uint32(0)
	for {
		l.text.next()
		line, err := l.in.ReadString('\n')
		if lines++; err != nil && !errors.Is(err, io.EOF) {
			return nil, l.broken(place{line: lines}, err.Error())
		}
		text := strings.TrimSpace(line)
		said, hint := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "sep=")
		switch {
		case hint && len(said) == 1 && strings.Contains(separators, said):
			allowed = said
		case text != "" && text[0] != '#':
			t, err := parseHeader(l, place{line: lines}, strings.TrimRight(line, "\r\n"), allowed)
			if err != nil {
				return nil, err
			}
			t.above, t.rows = lines, l.in
			if t.columns == nil {
				t.above, t.rows = lines-1, io.MultiReader(strings.NewReader(line), l.in)
			}
			return t, nil
		case err != nil:
			return nil, nil // there is nothing behind it, either
		}
	}
}

// plainlyID is what only an id looks like: a UUID, or one of Alibaba Cloud's such as i-bp1a2b3c.
var plainlyID = regexp.MustCompile(`^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(i|mi|eni|d|s|sl|m|sg|dh|dc|lt|c)-[a-z0-9]*[0-9][a-z0-9]*)$`)

// parseHeader splits a header at the first separator that gives it a column for the members. A line that has an id and
// nothing else is no header, but the first of a list of ids.
func parseHeader(l *targetList, at place, line, allowed string) (*table, error) {
	var widest []string
	for _, separator := range allowed {
		names, err := csvReader(strings.NewReader(line), separator).Read()
		if err != nil {
			continue
		}
		for i := range names {
			names[i] = strings.TrimSpace(names[i])
		}
		columns := l.columns(names)
		if has(columns, isMember) {
			l.taken.Shape = "columns separated by " + separatorNames[separator]
			return &table{columns: columns, separator: separator}, l.checkHeader(at, columns)
		}
		if len(names) > len(widest) {
			widest = names
		}
		if plainlyID.MatchString(names[0]) && strings.Join(names[1:], "") == "" {
			l.noun, l.taken.Shape = "", "ids without a header"
			return &table{separator: separator}, nil
		}
	}
	if len(widest) > 0 && plainlyID.MatchString(widest[0]) {
		return nil, l.fatal(at, membership.Quote(line), "begins with an id, so it is no header, and has more than the id; "+
			"want a header such as member,group,zone above the targets, or ids alone, one a line")
	}
	return nil, l.fatal(at, membership.Quote(line), "has no column that names members; "+
		"want a header such as member,group,zone above the targets (Instance ID, server_id, 实例ID and the like do as well), "+
		"or ids alone, one a line")
}

// columns are what the names of a header mean. A column with a weak name has a role where no other has the name for it.
func (l *targetList) columns(names []string) []column {
	columns := make([]column, len(names))
	for i, name := range names {
		columns[i] = column{name: name, meaning: l.meaning(name)}
	}
	for _, r := range []role{isMember, isGroup, isZone} {
		strong := false
		for _, c := range columns {
			strong = strong || c.role == r && !c.weak
		}
		for i, c := range columns {
			if strong && c.role == r && c.weak {
				columns[i].meaning = meaning{}
			}
		}
	}
	return columns
}

func has(columns []column, r role) bool {
	for _, c := range columns {
		if c.role == r {
			return true
		}
	}
	return false
}

// checkHeader wants each name, and each role, once.
func (l *targetList) checkHeader(at place, columns []column) error {
	first, wrong := make(map[string]string), false
	for _, c := range columns {
		key, want := c.name, "is there twice; want each column once"
		switch {
		case c.name == "":
			continue
		case broken(c.name):
			_ = l.problem(at, c.name, "", "is not "+l.encoding()+"; save the file as UTF-8") // it ends below
			wrong = true
			continue
		case c.role == isMember && !c.weak:
			key, want = "role "+string(c.role), "is there twice (member and id are the same); want each column once"
		case c.role != isTrait:
			key = "role " + string(c.role)
		}
		if before, twice := first[key]; twice {
			if c.weak || c.role == isGroup {
				want = fmt.Sprintf("may be the %s, and so may column %s; call the right one %s", c.role, readable(before), c.role)
			}
			_ = l.problem(at, c.name, "", want) // it ends below
			wrong = true
		}
		first[key] = c.name
	}
	if wrong {
		return errStop
	}
	return nil
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
