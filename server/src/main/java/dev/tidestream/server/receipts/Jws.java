package dev.tidestream.server.receipts;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * A signed text in the compact form of RFC 7515, {@code header.payload.signature}, each in base64url, by Ed25519 (RFC 8037).
 *
 * @param kid name of the key that it says it was signed with
 * @param typ what it says it is
 * @param payload what was signed; not copied
 * @param signed the bytes that the signature is of; not copied
 * @param signature not copied
 */
@SuppressWarnings("ArrayRecordComponent") // short-lived, and never compared
record Jws(String kid, String typ, byte[] payload, byte[] signed, byte[] signature) {
    private static final String ALG = "EdDSA";
    private static final int PARTS = 3;
    private static final ObjectMapper JSON = StrictJson.mapper();

    /** Signs. */
    static String sign(String typ, byte[] payload, SigningKey key) {
        ObjectNode header = JsonNodeFactory.instance.objectNode().put("alg", ALG).put("kid", key.publicKey().kid()).put("typ", typ);
        return sign(header.toString().getBytes(StandardCharsets.UTF_8), payload, key);
    }

    /** Signs under a header as it is. */
    static String sign(byte[] header, byte[] payload, SigningKey key) {
        String signed = Base64Url.encode(header) + "." + Base64Url.encode(payload);
        return signed + "." + Base64Url.encode(key.sign(signed.getBytes(StandardCharsets.US_ASCII)));
    }

    /**
     * Takes one apart; verifies nothing.
     *
     * @throws ReceiptException if it is none of this kind
     */
    static Jws parse(String compact) throws ReceiptException {
        String[] parts = compact.split("\\.", -1);
        if (parts.length != PARTS) {
            throw new ReceiptException("a receipt has three parts with a dot between them: parts=" + parts.length);
        }
        JsonNode header = header(Base64Url.decode(parts[0], "the header"));
        if (!header.path("alg").asText().equals(ALG)) {
            throw new ReceiptException("the header's alg must be EdDSA");
        }
        if (header.has("crit")) {
            throw new ReceiptException("the header has crit, and nothing that could be there is known");
        }
        return new Jws(header.path("kid").asText(), header.path("typ").asText(), Base64Url.decode(parts[1], "the payload"),
                (parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII), Base64Url.decode(parts[2], "the signature"));
    }

    private static JsonNode header(byte[] json) throws ReceiptException {
        try {
            JsonNode header = JSON.readTree(json);
            if (header == null || !header.isObject()) {
                throw new ReceiptException("the header is no JSON object");
            }
            return header;
        } catch (IOException e) {
            throw new ReceiptException("the header is not JSON", e);
        }
    }

    /** Whether it was signed with the private key of this one. */
    boolean signedWith(PublicReceiptKey key) {
        return key.verifies(signed, signature);
    }
}
