-- Gateways by prefix. London goes to a gateway of its own first; Germany only
-- to one; the emergency numbers to the local exchange.
return {
  ["+44"] = { "uk1.example.net", "uk2.example.net" },
  ["+4420"] = { "london.example.net", "uk1.example.net" },
  ["+49"] = { "de.example.net" },
  ["112"] = { "exchange.example.net" },
  ["999"] = { "exchange.example.net" },
}
