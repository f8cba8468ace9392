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
}

func newDecoder(r io.Reader) *decoder { return &decoder{in: bufio.NewReaderSize(r, window)} }

func (d *decoder) Read(p []byte) (int, error) {
	if !d.began {
		d.began = true
		d.begin()
	}
	if d.out != nil {
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
	mark := 2
	switch {
	case bytes.HasPrefix(start, []byte("\ufeff")):
		d.encoding, d.out, mark = encodingUTF8, d.in, len("\ufeff")
	case bytes.HasPrefix(start, []byte("\xff\xfe")):
		d.encoding = encodingUTF16LE
	case bytes.HasPrefix(start, []byte("\xfe\xff")):
		d.encoding = encodingUTF16BE
	case zeros[1] > zeros[0]:
		d.encoding, mark = encodingUTF16LE, 0
	case zeros[0] > 0:
		d.encoding, mark = encodingUTF16BE, 0
	default:
		return
	}
	_, _ = d.in.Discard(mark) // it is there
	switch d.encoding {
	case encodingUTF16LE:
		d.decode(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM))
	case encodingUTF16BE:
		d.decode(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM))
	}
}

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
