// Package postgrestest runs a real PostgreSQL server for tests, in a directory of its own. The server's programs come
// from PATH or from Debian's packages.
package postgrestest
