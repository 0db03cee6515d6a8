package postgrestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// The server's only user.
const (
	User     = "monitoring"
	Password = "Geh3im/pass word"
)

const startTimeout = 30 * time.Second

// Server is a PostgreSQL server on a port of localhost.
type Server struct {
	// Port is the same after a restart.
	Port int

	directory string
	settings  []string
	process   *exec.Cmd
	done      chan error
	log       *bytes.Buffer
}

// New makes a database cluster and starts its server, with settings in the form name=value beside those for speed.
// It answers ErrNotInstalled where there is none. Stop must be called.
func New(settings ...string) (*Server, error) {
	directory, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		return nil, err
	}
	s := &Server{directory: directory, settings: settings}
	if err = s.initialise(); err == nil {
		err = s.Start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(directory))
	}
	return s, nil
}

func (s *Server) initialise() error {
	initdb, err := program("initdb")
	if err != nil {
		return err
	}
	password := filepath.Join(s.directory, "password")
	if err := os.WriteFile(password, []byte(Password), 0o600); err != nil {
		return err
	}
	account, err := unprivileged()
	if err != nil {
		return err
	}
	if account != nil {
		for _, path := range []string{s.directory, password} {
			if err := os.Chown(path, int(account.Uid), int(account.Gid)); err != nil {
				return err
			}
		}
	}
	cmd := exec.Command(initdb, "--pgdata", s.data(), "--username", User, "--pwfile", password,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	cmd.Dir, cmd.SysProcAttr = s.directory, &syscall.SysProcAttr{Credential: account}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	s.Port, err = freePort()
	return err
}

func (s *Server) data() string { return filepath.Join(s.directory, "data") }

func freePort() (int, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// Start starts a stopped server, and returns when it takes connections.
func (s *Server) Start() error {
	postgres, err := program("postgres")
	if err != nil {
		return err
	}
	account, err := unprivileged()
	if err != nil {
		return err
	}
	args := []string{"-D", s.data(), "-c", "listen_addresses=127.0.0.1", "-c", "port=" + strconv.Itoa(s.Port),
		"-c", "unix_socket_directories=" + s.directory, "-c", "fsync=off"}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	cmd := exec.Command(postgres, args...)
	s.log = &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr, cmd.Dir = s.log, s.log, s.directory
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: account, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	s.process, s.done = cmd, done
	return s.await()
}

// await asks the server until it answers. It has no other way to say that it is ready.
func (s *Server) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case exit := <-s.done:
			s.process = nil
			return fmt.Errorf("the PostgreSQL server ended: %w: %s", exit, s.log)
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("the PostgreSQL server does not answer: %w", err), s.Kill())
		case <-ticker.C:
		}
	}
}

// URL gives the address of a database, with user and password.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(User, Password), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)), Path: database, RawQuery: "sslmode=disable"}
	return u.String()
}

// Exec runs a statement in a database.
func (s *Server) Exec(ctx context.Context, database, statement string) error {
	conn, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// CreateDatabase makes an empty database and gives its URL.
func (s *Server) CreateDatabase(ctx context.Context, name string) (string, error) {
	return s.URL(name), s.Exec(ctx, "postgres", "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
}

// Shutdown stops the server, which breaks its connections first. Start starts it again.
func (s *Server) Shutdown() error { return s.signal(syscall.SIGINT) }

// Kill ends the server as a crash would. Start starts it again.
func (s *Server) Kill() error { return s.signal(syscall.SIGQUIT) }

func (s *Server) signal(sig syscall.Signal) error {
	if s.process == nil {
		return nil
	}
	if err := s.process.Process.Signal(sig); err != nil {
		return err
	}
	err := <-s.done
	s.process = nil
	var exit *exec.ExitError
	if errors.As(err, &exit) { // as it does after SIGQUIT
		return nil
	}
	return err
}

// Stop ends the server and removes everything that it has stored.
func (s *Server) Stop() error {
	return errors.Join(s.Shutdown(), os.RemoveAll(s.directory))
}
