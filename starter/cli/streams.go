package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Streams are where a verb reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	Terminal bool // Out is a terminal: bars instead of lines
	Color    bool // Out takes colours
	// Size is how many columns and rows the terminal has now, 0 when it does not tell; nil when there is none.
	Size func() (columns, rows int)
	// Passphrase asks a person for one; nil when there is nobody to ask.
	Passphrase func(ctx context.Context, prompt string) ([]byte, error)

	drawn []line // what is right above the cursor and may be drawn over
}

// System returns the streams of the process.
func System() Streams {
	terminal := term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("TERM") != "dumb"
	s := Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Terminal: terminal, Color: terminal && os.Getenv("NO_COLOR") == ""}
	if terminal {
		s.Size = sizeOfTerminal
	}
	if term.IsTerminal(int(os.Stdin.Fd())) {
		s.Passphrase = askOnTerminal
	}
	return s
}

func sizeOfTerminal() (columns, rows int) {
	columns, rows, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		return 0, 0
	}
	return columns, rows
}

// askOnTerminal reads a line without showing it. Who interrupts it gets the terminal back as it was.
func askOnTerminal(ctx context.Context, prompt string) ([]byte, error) {
	terminal := int(os.Stdin.Fd())
	before, err := term.GetState(terminal)
	if err != nil {
		return nil, err
	}
	type answer struct {
		text []byte
		err  error
	}
	fmt.Fprint(os.Stderr, prompt)
	defer fmt.Fprintln(os.Stderr)
	given := make(chan answer, 1)
	go func() {
		text, err := term.ReadPassword(terminal)
		given <- answer{text, err}
	}()
	select {
	case a := <-given:
		return a.text, a.err
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), term.Restore(terminal, before))
	}
}

func (s *Streams) printf(format string, args ...any) {
	s.leave()
	fmt.Fprintf(s.Out, format, args...)
}

func (s *Streams) notef(format string, args ...any) {
	s.leave() // mostly, it is the same terminal
	fmt.Fprintf(s.Err, format, args...)
}

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
	return membership.Printable(text)
}

// cleanLines is clean for text of several lines.
func cleanLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = clean(line)
	}
	return strings.Join(lines, "\n")
}
