package targets_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/targets"
)

// generated is a list of so many lines, each made when it is read.
type generated struct {
	lines, next int
	head, line  string // a format of the number
	rest        []byte
	size        int64
}

func (g *generated) Read(p []byte) (int, error) {
	if len(g.rest) == 0 {
		switch {
		case g.next == 0:
			g.rest = append(g.rest, g.head...)
		case g.next <= g.lines:
			g.rest = fmt.Appendf(g.rest, g.line, g.next)
		default:
			return 0, io.EOF
		}
		g.next++
	}
	n := copy(p, g.rest)
	g.rest = append(g.rest[:0], g.rest[n:]...)
	g.size += int64(n)
	return n, nil
}

func generate(format fleet.Format, lines int) *generated {
	note := strings.Repeat("n", 100)
	if format == fleet.CSV {
		return &generated{lines: lines, head: "member,group,zone,note\n", line: "i-%08d,g-1,a," + note + "\n"}
	}
	return &generated{lines: lines, head: "\n", line: `{"member":"i-%08d","group":"g-1","zone":"a","note":"` + note + "\"}\n"}
}

// What lives on the heap while many targets stream by are a few buffers and what finds members named twice.
func TestReadTargetsInFlatMemory(t *testing.T) {
	for format, lines := range map[fleet.Format]int{fleet.CSV: 100_000, fleet.JSON: 100_000} {
		each := lines / 10
		g := generate(format, lines)
		before, most, count := heapAlive(), int64(0), 0
		_, err := targets.Read(g, targets.Options{Format: format}, func(targets.Target) error {
			if count++; count%each == 0 {
				most = max(most, heapAlive()-before)
			}
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, lines, count)
		require.Greater(t, g.size, int64(lines)*100)
		require.Less(t, most, int64(lines)*64+1<<20, "%s: bytes alive", format)
	}
}

// What is wrong at the end of many lines is named by its line, and so is the line at the beginning that it repeats.
func TestTheLastOfManyLines(t *testing.T) {
	const lines = 100_000
	tail := "i-00000001,g-1\r\n\"i-x\",g-1,\"said \"\"no\"\"\",\r\ni x,g-1\r\n"
	read := 0
	list := io.MultiReader(generate(fleet.CSV, lines), strings.NewReader(tail))
	_, err := targets.Read(list, targets.Options{Format: fleet.CSV}, func(targets.Target) error {
		read++
		return nil
	})
	require.Equal(t, lines, read, "whatever comes behind a problem is only looked at")
	require.EqualError(t, err, `line 100002, column member: "i-00000001": is the same as in line 2; name each member once
line 100004, column member: "i x": want an id of 1 to 128 letters, digits, '.', '_', ':' or '-', beginning with a letter or digit`)
}

func heapAlive() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkReadTargets(b *testing.B) {
	for _, format := range []fleet.Format{fleet.CSV, fleet.JSON} {
		b.Run(string(format), func(b *testing.B) {
			b.ReportAllocs()
			g := generate(format, b.N)
			b.ResetTimer()
			if _, err := targets.Read(g, targets.Options{Format: format}, func(targets.Target) error { return nil }); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(g.size / int64(b.N))
		})
	}
}
