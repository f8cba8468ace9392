package alibaba

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// Whatever goes and comes at an end, or comes anywhere, and whenever: a reading has all that were there from its beginning
// to its end, or is none.
func TestPagesThatChangeWhileTheyAreRead(t *testing.T) {
	const size, rows, calls = 2, 7, 5
	complete := 0
	// at are the numbers of calls before something goes, and before something comes.
	for at := range (calls + 1) * (calls + 1) {
		for goes := range rows + 1 { // the last: none
			for comes := range rows + 2 { // before which, or at the end, or not at all
				if goes < rows && 0 < comes && comes < rows {
					continue
				}
				list := []int{0, 1, 2, 3, 4, 5, 6}
				asked := 0
				all, err := byNumber(describeImages, func(r int) string { return string(rune('a' + r)) },
					func(n int) ([]int, int, error) {
						if asked == at%(calls+1) {
							list = slices.DeleteFunc(list, func(r int) bool { return r == goes })
						}
						if asked == at/(calls+1) && comes <= rows {
							list = slices.Insert(list, min(comes, len(list)), -1)
						}
						asked++
						from := min((n-1)*size, len(list))
						return slices.Clone(list[from:min(from+size, len(list))]), len(list), nil
					})
				if err != nil {
					assert.Equal(t, verdict.Transient, verdict.Of(err))
					assert.Empty(t, all)
					continue
				}
				complete++
				for r := range rows {
					assert.True(t, r == goes || slices.Contains(all, r), "row %d: %d goes, one comes before %d, after %d calls: %v",
						r, goes, comes, at, all)
				}
				assert.LessOrEqual(t, asked, calls)
			}
		}
	}
	assert.NotZero(t, complete)
}
