// Package control talks to the control plane of a simulator that runs elsewhere.
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/sim/journal"
	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

// Plane is a simulator's control plane, by the simulator's URL.
type Plane string

// Do calls what is at a path below /_sim/, such as "faults". in is sent as JSON and out read from it; both may be nil. What
// the simulator refuses is an error with its words.
func (p Plane) Do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, p.URL(path), body)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusMultipleChoices {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1000))
		return fmt.Errorf("%s %s: %s: %s", method, p.URL(path), answer.Status, strings.TrimSpace(string(text)))
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(out)
}

// URL is where a path below /_sim/ is.
func (p Plane) URL(path string) string { return string(p) + "/_sim/" + path }

// World is the world as it is now.
func (p Plane) World(ctx context.Context) (w world.World, err error) {
	return w, p.Do(ctx, http.MethodGet, "world", nil, &w)
}

// Journal returns the calls of a query, such as "writes=true", oldest first, and the number of the newest call of all.
func (p Plane) Journal(ctx context.Context, query string) (entries []journal.Entry, seq int64, err error) {
	var answer struct {
		Entries []journal.Entry `json:"entries"`
		Seq     int64           `json:"seq"`
	}
	err = p.Do(ctx, http.MethodGet, strings.TrimSuffix("journal?"+query, "?"), nil, &answer)
	return answer.Entries, answer.Seq, err
}
