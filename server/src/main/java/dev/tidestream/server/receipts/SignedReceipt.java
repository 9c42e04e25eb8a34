package dev.tidestream.server.receipts;

import java.nio.charset.StandardCharsets;

/** A receipt as it travels, taken apart; its signature is not verified by that. Immutable. */
public final class SignedReceipt {
    /** The {@code typ} of a receipt's header. */
    static final String TYPE = "tidestream-receipt+jwt";

    private final Jws jws;

    private SignedReceipt(Jws jws) {
        this.jws = jws;
    }

    /** Signs a receipt. */
    static String sign(Receipt receipt, SigningKey key) {
        return Jws.sign(TYPE, ReceiptWriter.bytes(receipt), key);
    }

    /**
     * Takes one apart.
     *
     * @throws ReceiptException if it is none
     */
    public static SignedReceipt parse(String compact) throws ReceiptException {
        Jws jws = Jws.parse(compact);
        if (!jws.typ().equals(TYPE)) {
            throw new ReceiptException("something signed, but no receipt: the header's typ must be " + TYPE);
        }
        return new SignedReceipt(jws);
    }

    /** Name of the key that it says it was signed with. */
    public String kid() {
        return jws.kid();
    }

    /** Whether it was signed with the private key of this one. */
    public boolean signedWith(PublicReceiptKey key) {
        return jws.signedWith(key);
    }

    /** What was signed, a JSON object. */
    public String payload() {
        return new String(jws.payload(), StandardCharsets.UTF_8);
    }

    /**
     * What it says.
     *
     * @throws ReceiptException if it was written by a server of another kind
     */
    public Receipt receipt() throws ReceiptException {
        return ReceiptReader.read(jws.payload());
    }
}
