package workflows

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"

	"go.temporal.io/sdk/converter"
)

// packFrom is the size, in bytes of JSON, from which a value is packed. What is smaller stays readable in the Web UI.
const packFrom = 128 << 10

// Pack makes what a run carries along small enough for Temporal, which takes 2 MB a value: what thousands of cohorts came
// to packs to some 80 bytes each. It returns v as JSON, packed when it is large.
func Pack(v any) any {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("%T has no JSON: %v", v, err)) // it is plain data
	}
	if len(data) < packFrom {
		return json.RawMessage(data)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(data) // into memory
	_ = w.Close()
	return packed.Bytes()
}

// Unpack reads what a run has packed.
func Unpack(raw converter.RawValue, v any) error {
	data := payload(raw)
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) { // RFC 1952; no JSON begins so
		r, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return err
		}
		if data, err = io.ReadAll(r); err != nil {
			return err
		}
	}
	return json.Unmarshal(data, v)
}
