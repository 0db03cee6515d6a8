// Package embedded wires Alertmanager's libraries into one Alertmanager, as its own main package does. Every
// constructor of the libraries is called in library.go and nowhere else: they change with every version.
package embedded
