package ballot

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// mostArmored is more than the longest key needs, in bytes.
const mostArmored = 16 << 10

// Check returns nil when the armored signature is of that vote, by a key with which its voter may sign at that moment.
// The error says in words why the vote does not count.
func (s *Signers) Check(v membership.Vote, armored string, at time.Time) error {
	switch {
	case strings.TrimSpace(armored) == "":
		return errors.New("it is not signed; fleetjoin signs with --key PATH, and so does ssh-keygen -Y sign -n " + Namespace)
	case len(armored) > mostArmored:
		return fmt.Errorf("its signature has %d bytes; want what ssh-keygen -Y sign prints", len(armored))
	}
	sig, err := sshsig.Unarmor([]byte(armored))
	if err != nil {
		return fmt.Errorf("its signature cannot be read (%w); want all that ssh-keygen -Y sign prints, "+
			"from -----BEGIN SSH SIGNATURE----- to -----END SSH SIGNATURE-----", err)
	}
	if sig.Namespace != Namespace {
		return fmt.Errorf("its signature is for the namespace %s; want one for %s: ssh-keygen -Y sign -n %s",
			membership.Quote(sig.Namespace), Namespace, Namespace)
	}
	if why := unfit(sig.PublicKey); why != "" {
		return fmt.Errorf("the key %s cannot sign votes: %s", ssh.FingerprintSHA256(sig.PublicKey), why)
	}
	lines := s.with(sig.PublicKey)
	if err := allow(lines, sig.PublicKey, v.By, at); err != nil {
		return err
	}
	if signs(sig, Text(v)) {
		return nil
	}
	return differs(v, sig, lines)
}

// CheckRequester returns nil when a signature that Check has found good is by no key of the requester's. Whoever may
// sign under several names is one person, and does not approve what they ask for: so any line with the key and the
// requester among its names says no, whatever its options, also when it has expired.
func (s *Signers) CheckRequester(v membership.Vote, armored, requester string) error {
	sig, err := sshsig.Unarmor([]byte(armored))
	if err != nil {
		return fmt.Errorf("its signature cannot be read: %w", err)
	}
	for _, l := range s.with(sig.PublicKey) {
		if l.of(requester) {
			return fmt.Errorf("the key %s is allowed for %s, who has asked for this run and may not vote on it, as %s either; "+
				"want another person's", ssh.FingerprintSHA256(sig.PublicKey), requester, v.By)
		}
	}
	return nil
}

// of reports whether a line is of somebody, in whatever way they write their name.
func (s *signer) of(name string) bool {
	return matches(name, s.names) || matches(membership.Person(name), strings.ToLower(s.names))
}

// Able is how many of those who may vote can sign a vote between now and then: each with a key that nobody else votes with, and
// that is not the requester's. No voters means everybody.
func (s *Signers) Able(voters []string, requester string, from, until time.Time) int {
	keys := make(map[string][]signer) // those with which votes can be signed, by key
	for _, l := range s.lines {
		if (l.namespaces == "" || matches(Namespace, l.namespaces)) && l.after.Before(until) && (l.before.IsZero() || l.before.After(from)) {
			keys[string(l.key.Marshal())] = append(keys[string(l.key.Marshal())], l)
		}
	}
	for _, l := range s.lines {
		if l.of(requester) {
			delete(keys, string(l.key.Marshal()))
		}
	}
	if len(voters) == 0 {
		return len(keys)
	}
	holder := make(map[string]string) // of a key, while each voter gets one of their own
	var find func(voter string, tried map[string]bool) bool
	find = func(voter string, tried map[string]bool) bool {
		for key, lines := range keys {
			can := slices.ContainsFunc(lines, func(l signer) bool { return matches(voter, l.names) })
			if !can || tried[key] {
				continue
			}
			tried[key] = true
			if other, taken := holder[key]; !taken || find(other, tried) {
				holder[key] = voter
				return true
			}
		}
		return false
	}
	able := 0
	for _, voter := range voters {
		if membership.Person(voter) != membership.Person(requester) && find(voter, make(map[string]bool)) {
			able++
		}
	}
	return able
}

// with returns the lines that have a key.
func (s *Signers) with(key ssh.PublicKey) (lines []signer) {
	for _, l := range s.lines {
		if bytes.Equal(l.key.Marshal(), key.Marshal()) {
			lines = append(lines, l)
		}
	}
	return lines
}

// allow says why the lines with a key do not let a voter sign at a moment. One of them that does is enough.
func allow(lines []signer, key ssh.PublicKey, by string, at time.Time) (why error) {
	print := ssh.FingerprintSHA256(key)
	var others []string
	for _, l := range lines {
		switch {
		case !matches(by, l.names):
			others = append(others, l.names)
		case l.namespaces != "" && !matches(Namespace, l.namespaces):
			why = fmt.Errorf("the key %s is allowed for the namespaces %s, and votes are signed for %s", print, l.namespaces, Namespace)
		case at.Before(l.after):
			why = fmt.Errorf("the key %s is allowed from %s on, and the vote is of %s", print, stamp(l.after), stamp(at))
		case !l.before.IsZero() && at.After(l.before):
			why = fmt.Errorf("the key %s has expired: it was allowed until %s, and the vote is of %s", print, stamp(l.before), stamp(at))
		default:
			return nil
		}
	}
	switch {
	case why != nil:
		return why
	case len(others) > 0:
		return fmt.Errorf("the key %s is allowed for %s, and the vote is by %s", print, strings.Join(others, " and "), by)
	}
	return fmt.Errorf("the key %s is none of the allowed signers; who runs the worker keeps the file of them", print)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func signs(sig *sshsig.Signature, text []byte) bool {
	return sshsig.Verify(bytes.NewReader(text), sig, sig.PublicKey, sig.HashAlgorithm, Namespace) == nil
}

// untouched reports whether a security key has signed without anybody there, as keys that want no touch do.
func untouched(sig *sshsig.Signature) bool {
	const present = 1 // the first flag of those that follow such a signature
	rest := sig.Signature.Rest
	return strings.HasPrefix(sig.PublicKey.Type(), "sk-") && len(rest) > 0 && rest[0]&present == 0
}

// differs says where the signed text is not the vote's. What is signed is a hash, so the likely differences are tried.
func differs(v membership.Vote, sig *sshsig.Signature, lines []signer) error {
	turned, mute := v, v
	turned.Approves, mute.Reason = !v.Approves, ""
	switch text := Text(v); {
	case untouched(sig):
		return fmt.Errorf("the security key %s was not touched; votes want a touch", ssh.FingerprintSHA256(sig.PublicKey))
	case signs(sig, Text(turned)):
		return fmt.Errorf("its signature says %s, and it is cast as %s", word(turned), word(v))
	case signs(sig, Text(mute)):
		return errors.New("its signature is of a vote without a reason; sign the line reason with the words that are cast")
	case signs(sig, bytes.TrimSuffix(text, []byte("\n"))):
		return errors.New("its signature is of a text that does not end with a newline; sign it with one")
	}
	for _, l := range lines {
		for name := range strings.SplitSeq(l.names, ",") {
			named := v
			named.By = name
			if signs(sig, Text(named)) {
				return fmt.Errorf("its signature is of a vote by %s, and it is cast by %s", name, v.By)
			}
		}
	}
	return fmt.Errorf("its signature is of another text: most likely the digest is another, and the vote is for %s; "+
		"or by or reason is spelled differently", v.Digest)
}
