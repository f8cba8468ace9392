package targets

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// readJSON walks the tokens, so that it sees fields that are there twice and knows where each stands, and holds one
// target at a time.
func readJSON(l *targetList) error {
	lines := &lineFinder{r: l.in}
	j := &jsonList{targetList: l, lines: lines, dec: json.NewDecoder(lines)}
	j.dec.UseNumber() // a number stays as it is written
	for {
		token, err := j.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case token == json.Delim('[') && j.at.item == 0:
			return j.array()
		}
		if err := j.item(token); err != nil {
			return err
		}
	}
}

// jsonList is a list in JSON that is being read.
type jsonList struct {
	*targetList
	dec   *json.Decoder
	lines *lineFinder
	at    place // of the last token
	depth int   // of the last token: brackets open
}

// next returns the next token; io.EOF where the text may end.
func (j *jsonList) next() (json.Token, error) {
	token, err := j.dec.Token()
	j.at.line = j.lines.at(j.dec.InputOffset())
	switch token {
	case json.Delim('['), json.Delim('{'):
		j.depth++
	case json.Delim(']'), json.Delim('}'):
		j.depth--
	}
	if err == nil || errors.Is(err, io.EOF) && j.depth == 0 {
		return token, err
	}
	return nil, j.notJSON(err)
}

// notJSON ends the reading where the decoder could not read on.
func (j *jsonList) notJSON(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	j.at.line = j.lines.at(j.dec.InputOffset())
	return j.broken(place{line: j.at.line}, fmt.Sprintf("is not JSON near byte %d: %v", j.dec.InputOffset(), err))
}

// array reads the rest of a list in brackets.
func (j *jsonList) array() error {
	for {
		token, err := j.next()
		switch {
		case err != nil:
			return err
		case token == json.Delim(']'):
			return j.end()
		}
		if err := j.item(token); err != nil {
			return err
		}
	}
}

// end wants nothing more.
func (j *jsonList) end() error {
	switch _, err := j.next(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return j.fatal(place{line: j.at.line}, "", "has more behind the end of the list; want one list")
}

// item reads the rest of a target that begins with the token.
func (j *jsonList) item(token json.Token) error {
	j.text.next()
	j.at.item++
	d := draft{at: j.at}
	switch v := token.(type) {
	case string:
		if err := j.id(&d, v); err != nil {
			return err
		}
	case json.Delim:
		if v == '{' {
			return j.object(d)
		}
		if err := j.skip(); err != nil {
			return err
		}
		return j.problem(d.at, "", "a JSON array", "want an id in quotes or an object")
	default:
		return j.problem(d.at, "", jsonKind(token), "want an id in quotes or an object")
	}
	return j.add(d)
}

// object reads the rest of an object. One that is no part of a list may be what a cloud's command line or Terraform prints.
func (j *jsonList) object(d draft) error {
	top, listing, total := j.depth == 1, false, 0
	for {
		name, err := j.next()
		if err != nil {
			return err
		}
		field, isName := name.(string)
		switch {
		case !isName && listing: // the end: the decoder lets nothing else stand here
			j.at.item-- // it was none itself
			j.taken.Total = max(j.taken.Total, total)
			return nil
		case !isName:
			return j.add(d)
		}
		if top && !listing {
			if listing, err = j.state(d, field); err != nil {
				return err
			}
			if listing {
				continue
			}
		}
		token, err := j.next()
		if err != nil {
			return err
		}
		if _, nested := token.(json.Delim); nested && top {
			found, err := j.listing([]string{field}, token)
			if err != nil {
				return err
			}
			if listing = listing || found; found {
				continue
			}
		} else if nested {
			if err := j.skip(); err != nil {
				return err
			}
		}
		if n, ok := token.(json.Number); ok && slices.Contains(totals, field) {
			most, _ := n.Int64()
			total = int(most)
		}
		if err := j.value(&d, field, token); err != nil {
			return err
		}
	}
}

// value gives a target a field whose value is the token, or began with it. Nested values are traits of nobody.
func (j *jsonList) value(d *draft, field string, token json.Token) error {
	at := place{line: j.at.line, item: d.at.item}
	m := j.meaning(field)
	value, ok := token.(string)
	switch v := token.(type) {
	case nil:
		ok = true // as good as not there
	case json.Number:
		value, ok = v.String(), m.role == isTrait
	case bool:
		value, ok = fmt.Sprint(v), m.role == isTrait
	case json.Delim:
		ok = m.role == isTrait
	}
	if ok {
		return j.give(d, at.line, field, value, m)
	}
	if m.role == isMember && d.member.field == "" {
		d.member.field = field // what should be one: it is not missing
	}
	return j.problem(at, field, jsonKind(token), "want a string")
}

// skip reads to the end of the array or object that the last token began.
func (j *jsonList) skip() error {
	for end := j.depth - 1; j.depth > end; {
		if _, err := j.next(); err != nil {
			return err
		}
	}
	return nil
}

func jsonKind(token json.Token) string {
	switch v := token.(type) {
	case json.Delim:
		if v == '{' {
			return "a JSON object"
		}
		return "a JSON array"
	case nil:
		return "the JSON value null"
	}
	return fmt.Sprintf("the JSON value %v", token)
}

// lineFinder passes text on and knows on which line an offset is that was read, as long as the offsets only grow.
type lineFinder struct {
	r      io.Reader
	read   int64
	breaks []int64 // the offsets of the line breaks that were not passed yet
	passed uint32
}

func (f *lineFinder) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	for i, c := range p[:n] {
		if c == '\n' {
			f.breaks = append(f.breaks, f.read+int64(i))
		}
	}
	f.read += int64(n)
	return n, err
}

// at returns the line of the byte before the offset.
func (f *lineFinder) at(offset int64) uint32 {
	for len(f.breaks) > 0 && f.breaks[0] < offset {
		f.breaks = f.breaks[1:]
		f.passed++
	}
	return f.passed + 1
}
