package huawei

import "github.com/fleetjoin/fleetjoin/cloud/verdict"

// pages reads page after page, each of which tells the marker of the next, "" if there is none.
func pages(op string, read func(marker string) (next string, err error)) error {
	for asked, marker := map[string]bool{}, ""; ; {
		next, err := read(marker)
		if err != nil || next == "" {
			return err
		}
		if asked[next] {
			return &verdict.Error{Verdict: verdict.Transient, Op: op, Message: "the pages go round in a circle"}
		}
		asked[next], marker = true, next
	}
}
