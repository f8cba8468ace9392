package host

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// What a file or a cloud says goes into the log, where it must neither steer a terminal nor break a reader of JSON.
func TestLogsAreCleanText(t *testing.T) {
	const text = "\xca\xff\x1b[2J\r"
	for _, format := range []string{"json", "console"} {
		var out bytes.Buffer
		log, err := NewLogger(&out, format, "info")
		require.NoError(t, err)
		log.Info("said "+text, "text", text, "error", errors.New(text), text, 1, "list", []string{text}, "map", map[string]string{text: text})
		line := strings.TrimSuffix(out.String(), "\n")
		require.True(t, utf8.ValidString(line), "%s: %q", format, line)
		require.False(t, strings.ContainsFunc(line, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }),
			"%s: %q", format, line)
	}
}
