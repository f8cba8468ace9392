package account

import "github.com/fleetjoin/fleetjoin/cloud/membership"

// WantPassword says how a request names a password.
const WantPassword = "write {env: FLEETJOIN_PASSWORD_…} for a variable of the worker, " +
	"or {file: NAME} for a file in its account's folder of passwords"

// PasswordParam declares the parameter passwordFrom of kinds that install systems. Which variables and files the worker
// gives out is for the account to say; a name that is none is refused here and not shown, since it may well be the
// password.
func PasswordParam(take func(Source), byDefault, help string) membership.Param {
	return membership.Object("passwordFrom", byDefault,
		help+": {env: FLEETJOIN_PASSWORD_…}, a variable of the worker, or {file: NAME}, in its account's folder of passwords",
		func(given any) string {
			fields, _ := given.(map[string]any)
			env, isEnv := fields["env"].(string)
			file, isFile := fields["file"].(string)
			if len(fields) != 1 || !(isEnv && passwordVariable.MatchString(env) || isFile && passwordFile.MatchString(file)) {
				return "names no password (not shown here); " + WantPassword
			}
			take(Source{Env: env, File: file})
			return ""
		}).Secret()
}
