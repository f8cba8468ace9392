package verdict

// Rule names what one answer of a cloud means. Codes are compared whole: a prefix or a part of a code says nothing.
type Rule struct {
	Op     string  // the API action it holds for; "" holds for all
	Status int     // the HTTP status; 0 holds for any
	Code   string  // the cloud's code; "" holds only for answers without a code
	Read   Verdict // what it means for a call that changes nothing
	Write  Verdict // what it means for a call that changes something
	Why    string  // the fact it rests on
}

// Table is an ordered list of rules. The first that matches decides, so that the special stands before the general.
type Table []Rule

// Find returns the rule for an answer. A rule with a status also wants that status; ok is false when no rule matches.
func (t Table) Find(op string, status int, code string) (Rule, bool) {
	for _, r := range t {
		if (r.Op == "" || r.Op == op) && (r.Status == 0 || r.Status == status) && r.Code == code {
			return r, true
		}
	}
	return Rule{}, false
}

// Classify judges an answer by the tables in order and, where they are silent, by its HTTP status alone. Call it only
// for failures: status 0 is no answer, and one below 400 an answer that made no sense. A write is then Unknown, unless
// it was throttled; a read, which is harmless, may simply be tried again, unless the cloud refuses it.
func Classify(op string, write bool, status int, code string, tables ...Table) Verdict {
	for _, t := range tables {
		if r, ok := t.Find(op, status, code); ok {
			if write {
				return r.Write
			}
			return r.Read
		}
	}
	switch {
	case status == 429:
		return Throttled
	case !write && (status < 400 || status >= 500):
		return Transient
	case !write && (status == 401 || status == 403 || status == 404):
		return Rejected
	default:
		return Unknown
	}
}
