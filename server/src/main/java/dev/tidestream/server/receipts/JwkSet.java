package dev.tidestream.server.receipts;

import java.io.IOException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/** Public keys by their names, as a JWK set (RFC 7517). Immutable. */
public final class JwkSet {
    private static final ObjectMapper JSON = StrictJson.mapper();

    private final Map<String, PublicReceiptKey> keys = new LinkedHashMap<>();

    public JwkSet(Collection<PublicReceiptKey> keys) {
        keys.forEach(key -> this.keys.put(key.kid(), key));
    }

    /**
     * Reads a set; keys of other kinds are passed over.
     *
     * @throws ReceiptException if it is none, or a key of this kind is of no use
     */
    public static JwkSet parse(String json) throws ReceiptException {
        JsonNode entries;
        try {
            entries = JSON.readTree(json).path("keys");
        } catch (IOException e) {
            throw new ReceiptException("a JWK set must be a JSON object", e);
        }
        if (!entries.isArray()) {
            throw new ReceiptException("a JWK set must be an object with an array: keys");
        }
        Map<String, PublicReceiptKey> found = new LinkedHashMap<>();
        for (JsonNode entry : entries) {
            if (entry.path("kty").asText().equals("OKP") && entry.path("crv").asText().equals("Ed25519")) {
                PublicReceiptKey key = PublicReceiptKey.of(entry.path("x").asText());
                found.put(key.kid(), key);
            }
        }
        return new JwkSet(found.values());
    }

    /** The key of that name. */
    public Optional<PublicReceiptKey> find(String kid) {
        return Optional.ofNullable(keys.get(kid));
    }

    /** How many there are. */
    public int size() {
        return keys.size();
    }

    /** These, and those of another set. */
    public JwkSet and(JwkSet others) {
        Map<String, PublicReceiptKey> all = new LinkedHashMap<>(keys);
        all.putAll(others.keys);
        return new JwkSet(all.values());
    }

    /** Writes the fields of the set's object. */
    public void writeTo(JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("keys");
        for (PublicReceiptKey key : keys.values()) {
            json.writeStartObject();
            json.writeStringField("kty", "OKP");
            json.writeStringField("crv", "Ed25519");
            json.writeStringField("alg", "EdDSA");
            json.writeStringField("use", "sig");
            json.writeStringField("kid", key.kid());
            json.writeStringField("x", key.x());
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}
