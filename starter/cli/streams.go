package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// Streams are where a verb reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	Terminal bool // Out is a terminal: bars instead of lines
	Color    bool // Out takes colours
}

// System returns the streams of the process.
func System() Streams {
	terminal := term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("TERM") != "dumb"
	return Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Terminal: terminal, Color: terminal && os.Getenv("NO_COLOR") == ""}
}

func (s *Streams) printf(format string, args ...any) { fmt.Fprintf(s.Out, format, args...) }
func (s *Streams) notef(format string, args ...any)  { fmt.Fprintf(s.Err, format, args...) }

// json prints a value on one line; pretty prints it for eyes.
func (s *Streams) json(v any) error { return json.NewEncoder(s.Out).Encode(v) }

func (s *Streams) pretty(v any) error {
	enc := json.NewEncoder(s.Out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// paint is a colour, or none.
type paint string

const (
	plain  paint = ""
	bold   paint = "1"
	red    paint = "31"
	green  paint = "32"
	yellow paint = "33"
	faint  paint = "2"
)

func (s *Streams) paint(p paint, text string) string {
	if !s.Color || p == plain {
		return text
	}
	return "\x1b[" + string(p) + "m" + text + "\x1b[0m"
}

// clean keeps what a cloud calls its servers from steering the terminal.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return '\uFFFD'
		}
		return r
	}, text)
}
