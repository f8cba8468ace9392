package verdict

import (
	"regexp"
	"strings"
	"unicode"
)

// Longest text of a cloud that we keep: enough for any sane message, short enough for a history.
const maxText = 500

var secrets = []struct {
	pattern *regexp.Regexp
	with    string
}{
	// A URL carries access keys, signatures, session tokens and, on one API, a password: keep only its host.
	{regexp.MustCompile(`(?i)\b(https?://)([^/?#\s"'@]*@)?([^/?#\s"']+)[^\s"']*`), "$1$3/…"},
	// A name that speaks of a secret, a separator, perhaps the scheme of an Authorization header, and the secret.
	{regexp.MustCompile(`(?i)(` +
		`[\w.-]*(?:authorization|signature|secret|token|passwd|password|credential|access[-_]?key)[\w.-]*` +
		`|\b(?:access|ak|sk)` +
		`)(\\*["']?\s*[:=]\s*\\*["']?(?:(?:bearer|basic|[\w-]*hmac[\w-]*)\s+)?)[^\s"',;&\\]+`), "$1$2…"},
}

// Redact takes out of a text of unknown origin what could be a secret, and makes it fit for a history: valid UTF-8 on
// one line, and short.
func Redact(text string) string {
	// Long before it is cut, so that no half of a secret escapes its pattern; a body can have megabytes.
	if len(text) > 16*maxText {
		text = text[:16*maxText]
	}
	text = strings.Map(oneLine, strings.ToValidUTF8(text, "�"))
	for _, s := range secrets {
		text = s.pattern.ReplaceAllString(text, s.with)
	}
	if len(text) > maxText {
		cut := maxText
		for cut > 0 && text[cut]&0xC0 == 0x80 { // not inside a rune
			cut--
		}
		text = text[:cut] + "…"
	}
	return text
}

func oneLine(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}
