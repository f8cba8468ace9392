// Package ballot signs votes with OpenSSH keys, and checks them against a file of allowed signers. It is SSHSIG, so that
// nobody needs fleetjoin to vote. What is signed is a small text of five lines, each with a newline at its end:
//
//	fleetjoin vote v1
//	digest sha256:97c5042f3d261ec0d916732d9c31a5d415948ca20c15a89033a965ecd7b1d497
//	vote approve
//	by bob
//	reason looks good
//
// By hand, with D for the digest:
//
//	printf 'fleetjoin vote v1\ndigest %s\nvote %s\nby %s\nreason %s\n' "$D" approve bob 'looks good' |
//	  ssh-keygen -Y sign -n fleetjoin-vote@v1 -f ~/.ssh/id_ed25519
//
// Every line is always there; a vote without a reason has a space behind the word. Every value is one line: a backslash
// is written \\, a newline \n, and any other control character of ASCII \x and two hex digits in lower case. All else
// stands for itself, in UTF-8.
package ballot

import (
	"bytes"
	"crypto/rsa"
	"fmt"
	"strings"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Namespace is what votes are signed for, so that no signature of anything else is a vote: ssh-keygen's -n.
const Namespace = "fleetjoin-vote@v1"

// Text is what is signed of a vote: its digest, whether it approves, by whom and why. Two votes that differ in any of
// these have different texts.
func Text(v membership.Vote) []byte {
	return fmt.Appendf(nil, "fleetjoin vote v1\ndigest %s\nvote %s\nby %s\nreason %s\n",
		line(v.Digest), word(v), line(v.By), line(v.Reason))
}

func word(v membership.Vote) string {
	if v.Approves {
		return membership.ControlApprove
	}
	return membership.ControlReject
}

// line makes one line of a value. Bytes that are no UTF-8 become what JSON makes of them: the vote travels as JSON.
func line(value string) string {
	var b strings.Builder
	for _, r := range value {
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case r == '\n':
			b.WriteString(`\n`)
		case r < ' ' || r == '\x7f':
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Sign signs a vote. The signature is armored, as ssh-keygen -Y sign prints it. The error says which keys can sign, or
// is the signer's.
func Sign(v membership.Vote, key ssh.Signer) (armored string, err error) {
	if why := unfit(key.PublicKey()); why != "" {
		return "", fmt.Errorf("the key %s cannot sign votes: %s", ssh.FingerprintSHA256(key.PublicKey()), why)
	}
	s, err := sshsig.Sign(bytes.NewReader(Text(v)), key, sshsig.HashSHA512, Namespace)
	if err != nil {
		return "", fmt.Errorf("sign the vote: %w", err)
	}
	return string(sshsig.Armor(s)), nil
}

// shortestRSA is what OpenSSH and this project take for safe, in bits.
const shortestRSA = 2048

// unfit says why a key may not sign votes, "" when it may.
func unfit(key ssh.PublicKey) string {
	switch key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256:
		return ""
	case ssh.KeyAlgoRSA:
		if bits := bitsOf(key); bits < shortestRSA {
			return fmt.Sprintf("it is an RSA key of %d bits; want at least %d, or ed25519", bits, shortestRSA)
		}
		return ""
	}
	if _, ok := key.(*ssh.Certificate); ok {
		return "it is a certificate, and votes are signed with plain keys"
	}
	return fmt.Sprintf("it is of type %s; want ed25519, ecdsa, rsa or one of a security key", key.Type())
}

// bitsOf is how long an RSA key is. An agent's keys know nothing but their bytes, so that is what it goes by.
func bitsOf(key ssh.PublicKey) int {
	parsed, err := ssh.ParsePublicKey(key.Marshal())
	if err != nil {
		return 0
	}
	if open, ok := parsed.(ssh.CryptoPublicKey); ok {
		if k, ok := open.CryptoPublicKey().(*rsa.PublicKey); ok {
			return k.N.BitLen()
		}
	}
	return 0
}
