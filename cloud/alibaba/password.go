package alibaba

import (
	"strings"
	"unicode"

	"github.com/fleetjoin/fleetjoin/cloud/account"
)

// checkPassword names what is asked of a password when no action is.
var checkPassword = op{name: "CheckPassword"}

// CheckPassword tells whether a password can be read and would be taken for the logon of a Linux system: 8 to 30
// characters, of three classes at least. The error is a *verdict.Error, Rejected, and never repeats it.
func (c *Client) CheckPassword(from account.Source) error {
	_, err := c.password(checkPassword, from)
	return err
}

// password reads the password that a call is to send. EDAS publishes no rule for it; but what it is for, the logon of a
// system that is installed anew, has one, and a weak one found out by the cloud is an instance that nobody can log on to.
func (c *Client) password(o op, from account.Source) (string, error) {
	password, err := c.account.Password(from)
	switch {
	case err != nil:
		return "", refuse(o, "%v", err)
	case !strong(password):
		return "", refuse(o, "account %q: the password is not one that the cloud takes: 8 to 30 characters, of three kinds at "+
			"least of: upper case, lower case, digits, and %s", c.account.Name, special)
	}
	return password, nil
}

// special are the characters of a password that are neither letters nor digits.
const special = "()`~!@#$%^&*-_=+|{}[]:;'<>,.?/"

func strong(password string) bool {
	var upper, lower, digit, other int
	for _, r := range password {
		switch {
		case r > unicode.MaxASCII:
			return false
		case unicode.IsUpper(r):
			upper = 1
		case unicode.IsLower(r):
			lower = 1
		case unicode.IsDigit(r):
			digit = 1
		case strings.ContainsRune(special, r):
			other = 1
		default:
			return false
		}
	}
	return len(password) >= 8 && len(password) <= 30 && upper+lower+digit+other >= 3
}
