package targets

import (
	"bufio"
	"bytes"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Encodings, as people know them.
const (
	encodingUTF8    = "UTF-8"
	encodingUTF16LE = "UTF-16LE"
	encodingUTF16BE = "UTF-16BE"
	encodingGB18030 = "GB18030" // GBK and GB2312 are parts of it
)

// window is how many bytes are looked at to tell an encoding.
const window = 64 << 10

// decoder passes a text on as UTF-8, whatever a spreadsheet has made of it. A byte order mark or the zeros between ASCII
// tell UTF-16. Else the first bytes that are not ASCII tell: they are UTF-8, or GB18030, or nothing that anybody knows.
type decoder struct {
	in       *bufio.Reader
	out      io.Reader // passes on the rest of in; nil while all was ASCII
	began    bool
	encoding string // "" for ASCII, and for what is no known encoding
	err      error  // it is no text
}

func newDecoder(r io.Reader) *decoder { return &decoder{in: bufio.NewReaderSize(r, window)} }

func (d *decoder) Read(p []byte) (int, error) {
	if !d.began {
		d.began = true
		d.begin()
	}
	switch {
	case d.err != nil:
		return 0, d.err
	case d.out != nil:
		return d.out.Read(p)
	}
	if _, err := d.in.Peek(1); err != nil {
		return 0, err
	}
	ready, _ := d.in.Peek(d.in.Buffered())
	ascii := bytes.IndexFunc(ready, func(r rune) bool { return r >= utf8.RuneSelf })
	switch {
	case ascii < 0:
		ascii = len(ready)
	case ascii == 0:
		d.tell()
		return d.out.Read(p)
	}
	n := copy(p, ready[:ascii])
	_, _ = d.in.Discard(n) // it is there
	return n, nil
}

// files are what people name in place of a list, by their first bytes.
var files = []struct{ begins, what string }{
	{"PK\x03\x04", "is a spreadsheet or another ZIP archive; save the sheet as CSV"},
	{"\xd0\xcf\x11\xe0", "is a spreadsheet of an old Office; save the sheet as CSV"},
	{"\x1f\x8b", "is packed by gzip; unpack it"},
	{"BZh", "is packed by bzip2; unpack it"},
	{"\xfd7zXZ", "is packed by xz; unpack it"},
	{"\x28\xb5\x2f\xfd", "is packed by zstd; unpack it"},
	{"%PDF-", "is a PDF; want a list in CSV, JSON or YAML"},
	{"SQLite format 3", "is a database; want a list in CSV, JSON or YAML"},
}

// noText says that a file is none.
func noText(what string) error {
	return membership.Bad([]membership.Problem{{Field: "targets", Want: "the file " + what}})
}

// isText reports whether what has been taken for UTF-16 by its zeros is: text has no control characters but those that part it.
func isText(start []byte, e encoding.Encoding) bool {
	text, err := e.NewDecoder().Bytes(start[:len(start)&^1])
	return err == nil && !bytes.ContainsFunc(text, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\r' && r != '\n'
	})
}

// begin looks for UTF-16, and takes a byte order mark away.
func (d *decoder) begin() {
	const enough = 1024
	start, _ := d.in.Peek(enough) // whatever is wrong with the file, the reading meets it, too
	zeros := [2]int{}
	for i, b := range start {
		if b == 0 {
			zeros[i%2]++
		}
	}
	for _, f := range files {
		if bytes.HasPrefix(start, []byte(f.begins)) {
			d.err = noText(f.what)
			return
		}
	}
	const oneOf = 6 // bytes is a zero at least: of what is in a list, ids are ASCII
	mark := 2
	switch {
	case bytes.HasPrefix(start, []byte("\ufeff")):
		d.encoding, d.out, mark = encodingUTF8, d.in, len("\ufeff")
	case bytes.HasPrefix(start, []byte("\xff\xfe")):
		d.encoding = encodingUTF16LE
	case bytes.HasPrefix(start, []byte("\xfe\xff")):
		d.encoding = encodingUTF16BE
	case zeros[1] > zeros[0] && zeros[1]*oneOf >= len(start) && isText(start, utf16(unicode.LittleEndian)):
		d.encoding, mark = encodingUTF16LE, 0
	case zeros[0] > zeros[1] && zeros[0]*oneOf >= len(start) && isText(start, utf16(unicode.BigEndian)):
		d.encoding, mark = encodingUTF16BE, 0
	case zeros != [2]int{}:
		d.err = noText("is no text: it has zero bytes; want a list in CSV, JSON or YAML")
		return
	default:
		return
	}
	_, _ = d.in.Discard(mark) // it is there
	switch d.encoding {
	case encodingUTF16LE:
		d.decode(utf16(unicode.LittleEndian))
	case encodingUTF16BE:
		d.decode(utf16(unicode.BigEndian))
	}
}

func utf16(e unicode.Endianness) encoding.Encoding { return unicode.UTF16(e, unicode.IgnoreBOM) }

// tell tells UTF-8 and GB18030 apart by what comes next. Text that is neither is passed on as it is: whoever reads it
// knows in which line it stands.
func (d *decoder) tell() {
	next, err := d.in.Peek(window)
	d.out = d.in
	switch {
	case isUTF8(next, err != nil):
		d.encoding = encodingUTF8
	case isGB18030(next):
		d.encoding = encodingGB18030
		d.decode(simplifiedchinese.GB18030)
	}
}

func (d *decoder) decode(e encoding.Encoding) { d.out = transform.NewReader(d.in, e.NewDecoder()) }

// isUTF8 reports whether a text is UTF-8; where it is not whole, its last character may be cut.
func isUTF8(text []byte, whole bool) bool {
	for cut := 0; cut < utf8.UTFMax && cut <= len(text); cut++ {
		if utf8.Valid(text[:len(text)-cut]) {
			return true
		}
		if whole {
			break
		}
	}
	return false
}

func isGB18030(text []byte) bool {
	out := make([]byte, 3*len(text)+utf8.UTFMax)
	n, _, _ := simplifiedchinese.GB18030.NewDecoder().Transform(out, text, false) // a character that is cut is left out
	return !bytes.ContainsRune(out[:n], utf8.RuneError)
}
