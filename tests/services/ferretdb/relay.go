package main

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A message of MongoDB's wire protocol starts with its length, in 4 bytes, little-endian.
const lengthBytes = 4

// More than MongoDB's maxMessageSizeBytes.
const longest = 64 << 20

// relay listens on a TCP address, and passes commands on to a Unix socket, one at a time.
func relay(address, socket string) error {
	for _, err := os.Stat(socket); err != nil; _, err = os.Stat(socket) {
		time.Sleep(10 * time.Millisecond)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	var turn sync.Mutex
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		go serve(client, socket, &turn)
	}
}

// serve passes on the commands of one client, until either side hangs up.
func serve(client net.Conn, socket string, turn *sync.Mutex) {
	defer client.Close()
	server, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer server.Close()
	for {
		command, err := read(client)
		if err != nil {
			return
		}
		answer, err := ask(server, command, turn)
		if err != nil {
			return
		}
		if _, err := client.Write(answer); err != nil {
			return
		}
	}
}

// ask passes on one command, and returns the answer; meanwhile no other command is at work.
func ask(server net.Conn, command []byte, turn *sync.Mutex) ([]byte, error) {
	turn.Lock()
	defer turn.Unlock()
	if _, err := server.Write(command); err != nil {
		return nil, err
	}
	return read(server)
}

func read(from io.Reader) ([]byte, error) {
	message := make([]byte, lengthBytes)
	if _, err := io.ReadFull(from, message); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint32(message)
	if length < lengthBytes || length > longest {
		return nil, io.ErrUnexpectedEOF
	}
	message = append(message, make([]byte, length-lengthBytes)...)
	_, err := io.ReadFull(from, message[lengthBytes:])
	return message, err
}
