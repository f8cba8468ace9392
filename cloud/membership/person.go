package membership

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Person is the one name of somebody who writes theirs in several ways: bob, Bob and "bob " are one voter. Whoever compares
// people compares these.
func Person(name string) string {
	return strings.Join(strings.Fields(strings.ToLower(strings.ToUpper(norm.NFKC.String(name)))), " ")
}

// mostWords is the most bytes of what people call things and themselves.
const mostWords = 200

// CheckWords returns what is wrong with words that are shown in lists and lines: too many, or such that steer a terminal.
func CheckWords(field, words string) []Problem {
	steers := strings.ContainsFunc(words, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar
	})
	if len(words) > mostWords || steers {
		return []Problem{{Field: field, Value: Quote(words),
			Want: fmt.Sprintf("want at most %d bytes of UTF-8 without control characters", mostWords)}}
	}
	return nil
}

var runIDPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}$`)

// CheckRunID returns what is wrong with the id that somebody gives a run. It is typed in shells and goes into headers.
func CheckRunID(field, id string) []Problem {
	return check(field, id, runIDPattern,
		"want 1 to 200 letters, digits, '.', '_', ':', '/', '@', '+' or '-' of ASCII, beginning with a letter or digit")
}
