package ballot

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// Signers are the keys that may sign votes, and for whom: an allowed_signers file of OpenSSH, as ssh-keygen(1) describes
// it. A line has principals, which are the names of voters or patterns of them, then options, the key, and a comment:
//
//	bob ssh-ed25519 AAAA… his laptop
//	cid namespaces="fleetjoin-vote@v1",valid-before="20270101" ssh-ed25519 AAAA…
//
// Votes are told apart by name and by key: whatever names a key is allowed for, it votes once. One person with two keys under
// two names has two votes, so give each person one name.
//
// The options are namespaces, valid-after and valid-before; cert-authority is refused.
type Signers struct{ lines []signer }

// signer is one line.
type signer struct {
	names      string // patterns, with commas between them
	namespaces string // likewise; "": all
	after      time.Time
	before     time.Time // both inclusive, and zero when there is no such bound
	key        ssh.PublicKey
}

// LoadSigners reads a file of allowed signers. The error names the file and the line, and says what works.
func LoadSigners(path string) (*Signers, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("allowed signers: %w", err)
	}
	return ParseSigners(data, path)
}

// ParseSigners reads the content of such a file; name is for errors.
func ParseSigners(data []byte, name string) (*Signers, error) {
	var s Signers
	number := 0
	for text := range strings.Lines(string(data)) {
		number++
		text = strings.TrimSpace(text)
		if text == "" || text[0] == '#' {
			continue
		}
		one, err := parseSigner(text)
		if err != nil {
			return nil, fmt.Errorf("allowed signers: %s line %d: %w", name, number, err)
		}
		s.lines = append(s.lines, one)
	}
	if len(s.lines) == 0 {
		return nil, fmt.Errorf("allowed signers: %s has no signer; want lines such as: bob ssh-ed25519 AAAA…", name)
	}
	return &s, nil
}

func parseSigner(text string) (s signer, err error) {
	var rest string
	if s.names, rest, err = principals(text); err != nil {
		return s, err
	}
	key, _, options, _, err := ssh.ParseAuthorizedKey([]byte(rest))
	if err != nil {
		return s, fmt.Errorf("%s: no key can be read behind the name (%w); want: NAME [OPTIONS] TYPE KEY [COMMENT], "+
			"TYPE and KEY as in a .pub file", s.names, err)
	}
	s.key = key
	given := make(map[string]bool)
	for _, o := range options {
		option, value, _ := strings.Cut(o, "=")
		option = strings.ToLower(option)
		if given[option] {
			return s, fmt.Errorf("%s: the option %s is given twice; give it once, with commas between its values", s.names, option)
		}
		given[option] = true
		if err := s.set(option, value); err != nil {
			return s, fmt.Errorf("%s: %w", s.names, err)
		}
	}
	if !s.after.IsZero() && !s.before.IsZero() && !s.before.After(s.after) {
		return s, fmt.Errorf("%s: valid-before is not after valid-after; nobody could ever sign", s.names)
	}
	if why := unfit(key); why != "" {
		return s, fmt.Errorf("%s: the key cannot sign votes: %s", s.names, why)
	}
	return s, nil
}

// principals takes the first word, which may stand in quotes.
func principals(text string) (names, rest string, err error) {
	if strings.HasPrefix(text, `"`) {
		var closed bool
		names, rest, closed = strings.Cut(text[1:], `"`)
		if !closed {
			return "", "", errors.New("the names have no closing quote")
		}
	} else if i := strings.IndexAny(text, " \t"); i >= 0 {
		names, rest = text[:i], text[i:]
	} else {
		names = text
	}
	if strings.Trim(names, ",! ") == "" {
		return "", "", errors.New("the names are empty; want those who vote with this key, such as bob")
	}
	return names, strings.TrimSpace(rest), nil
}

// set takes one option. Whatever is not known is refused: it may have been meant to forbid something.
func (s *signer) set(option, value string) (err error) {
	switch option {
	case "cert-authority":
		return errors.New("cert-authority is not supported; name the keys themselves, each on a line of its own")
	case "namespaces", "valid-after", "valid-before":
	default:
		return fmt.Errorf("the option %q is not known; want namespaces, valid-after or valid-before", option)
	}
	text, ok := unquote(value)
	if !ok || text == "" {
		return fmt.Errorf("%s has no value in quotes; want %s", option, map[string]string{
			"namespaces":   `namespaces="` + Namespace + `"`,
			"valid-after":  `valid-after="20260101"`,
			"valid-before": `valid-before="20270101"`}[option])
	}
	switch option {
	case "namespaces":
		s.namespaces = text
	case "valid-after":
		s.after, err = moment(text)
	case "valid-before":
		s.before, err = moment(text)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", option, err)
	}
	return nil
}

func unquote(value string) (text string, ok bool) {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return "", false
	}
	text = value[1 : len(value)-1]
	return text, !strings.Contains(text, `"`)
}

// moment reads a time as OpenSSH writes it: in the worker's own zone, unless a Z says UTC.
func moment(text string) (time.Time, error) {
	zone, digits := time.Local, text
	if last := len(text) - 1; last > 0 && (text[last] == 'Z' || text[last] == 'z') {
		zone, digits = time.UTC, text[:last]
	}
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if len(layout) == len(digits) {
			if t, err := time.ParseInLocation(layout, digits, zone); err == nil {
				return t, nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; want YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, with a Z for UTC", text)
}

// matches reports whether a value is in a list of patterns with commas between them. A pattern that begins with a ! takes
// its values out again, whatever else the list has.
func matches(value, patterns string) bool {
	found := false
	for p := range strings.SplitSeq(patterns, ",") {
		p, not := strings.CutPrefix(p, "!")
		if !match(value, p) {
			continue
		}
		if not {
			return false
		}
		found = true
	}
	return found
}

// match compares with one pattern, in which * stands for anything and ? for one byte. A star takes as little as it can,
// and only the last one ever takes back: that is enough, and names may be long.
func match(value, pattern string) bool {
	v, p := 0, 0
	star, taken := -1, 0 // the last star, and how far it has taken
	for v < len(value) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, taken = p, v
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == value[v]):
			v, p = v+1, p+1
		case star >= 0:
			taken++
			v, p = taken, star+1
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
