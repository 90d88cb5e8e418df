package dialplans

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"

	lua "github.com/yuin/gopher-lua"
)

var hashFunctions = map[string]lua.LGFunction{
	"hash.crc32": hashCRC32, "hash.percent": hashPercent, "hash.sha256": hashSHA256,
}

// hashPercent gives 0 to 99, the same on every worker and in every release.
func hashPercent(L *lua.LState) int {
	text, salt := L.CheckString(1), L.OptString(2, "")
	pay(L, (len(text)+len(salt))>>4)
	L.Push(lua.LNumber(percent(text, salt)))
	return 1
}

// percent spreads texts evenly over 0 to 99; each salt spreads them anew.
func percent(text, salt string) int {
	sum := sha256.Sum256([]byte(salt + "\x00" + text))
	return int(binary.BigEndian.Uint64(sum[:8]) % 100)
}

func hashSHA256(L *lua.LState) int {
	text := L.CheckString(1)
	pay(L, len(text)>>4)
	sum := sha256.Sum256([]byte(text))
	L.Push(lua.LString(hex.EncodeToString(sum[:])))
	return 1
}

func hashCRC32(L *lua.LState) int {
	text := L.CheckString(1)
	pay(L, len(text)>>6)
	L.Push(lua.LNumber(crc32.ChecksumIEEE([]byte(text))))
	return 1
}
