package cli

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// glass is what a terminal shows of what was written to it, as far as draw needs one: it wraps, goes up and clears.
func glass(columns int, written string) []string {
	screen := [][]rune{{}}
	row, column := 0, 0
	for i := 0; i < len(written); {
		if rest, ok := strings.CutPrefix(written[i:], "\x1b["); ok {
			end := strings.IndexFunc(rest, func(r rune) bool { return r >= '@' })
			switch rest[end] {
			case 'A':
				n, _ := strconv.Atoi(rest[:end])
				row = max(row-n, 0)
			case 'J':
				screen = append(screen[:row], screen[row][:column])
			}
			i += len("\x1b[") + end + 1
			continue
		}
		c, size := utf8.DecodeRuneInString(written[i:])
		switch {
		case c == '\r':
			column = 0
		case c == '\n', column == columns:
			if row, column = row+1, 0; row == len(screen) {
				screen = append(screen, nil)
			}
			if c == '\n' {
				break
			}
			fallthrough
		default:
			screen[row] = append(screen[row][:column], c)
			column++
		}
		i += size
	}
	var lines []string
	for _, l := range screen {
		lines = append(lines, string(l))
	}
	return lines
}

func textLines(texts ...string) (lines []line) {
	for _, t := range texts {
		lines = append(lines, line{text(t[:len(t)/2]), {t[len(t)/2:], red}})
	}
	return lines
}

func TestADrawingIsDrawnOver(t *testing.T) {
	t.Parallel()
	f, out, errs := testFactory(t)
	columns, height := 10, 24
	f.Size = func() (int, int) { return columns, height }
	shows := func(want ...string) { t.Helper(); require.Equal(t, want, glass(columns, out.String())) }

	f.printf("before\n")
	f.draw(textLines("first", "a line that is wrapped", "third"))
	shows("before", "first", "a line tha", "t is wrapp", "ed", "third", "")
	f.draw(textLines("second"))
	shows("before", "second", "")
	f.printf("said\n")
	f.draw(textLines("third", "more"))
	shows("before", "second", "said", "third", "more", "")
	f.erase()
	f.erase()
	shows("before", "second", "said", "")
	f.draw(textLines("fourth"))
	f.notef("trouble\n")
	f.erase()
	shows("before", "second", "said", "fourth", "")
	require.Equal(t, "trouble\n", errs.String())

	// Narrower, the terminal has wrapped what was drawn; what is above its top cannot be reached.
	f.draw(textLines("0123456789", "x"))
	columns = 4
	f.draw(nil)
	require.Contains(t, out.String(), "\x1b[4A")
	f.draw(textLines("1", "2", "3", "4"))
	height = 3
	f.erase()
	require.Contains(t, out.String(), "\x1b[2A")
}

func TestATerminalThatDoesNotTellItsSize(t *testing.T) {
	t.Parallel()
	for _, s := range []Streams{{}, {Size: func() (int, int) { return 0, 0 }}} {
		columns, height := s.size()
		require.Equal(t, []int{80, 24}, []int{columns, height})
	}
}

func TestWidth(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"": 0, "web-1": 5, "服务器": 6, "（a）": 5, "e\u0301": 1, "· … é": 5, "한국": 4, "🚀": 2} {
		require.Equal(t, want, width(text), text)
	}
}

// Nothing is lost, nothing comes in another order, and a line is only too long when a single item is.
func TestWrap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(1, 60).Draw(t, "columns")
		texts := rapid.SliceOf(rapid.StringMatching(`[a-z]{1,20}`)).Draw(t, "items")
		var items []cell
		for _, text := range texts {
			items = append(items, cell{text: text})
		}
		lines := wrap(columns, cell{text: "label"}, labelWidth, " ", items)
		require.Equal(t, append([]string{"label"}, texts...), strings.Fields(frameText(lines)))
		for _, l := range lines {
			alone := len(l) <= len(line{{}, {}, {}})
			require.True(t, alone || l.width() < columns, "%q", frameText([]line{l}))
		}
	})
}
