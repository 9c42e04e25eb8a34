package dev.tidestream.protocol.admin;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;

import dev.tidestream.protocol.Fields;
import dev.tidestream.protocol.ProtocolException;

/** Requests about updates of many tensors, from the fields of their frames; strictly. */
final class UpdateDecoder {
    private static final Set<String> ONLY = Set.of("type", "ref", "update_id");
    private static final Set<String> OPEN = Set.of("type", "ref", "update_id", "base_version", "label", "tied", "publish");
    private static final Set<String> PART = Set.of("type", "ref", "update_id", "part", "sha256", "byte_length", "offset");
    private static final Set<String> COMMIT = Set.of("type", "ref", "update_id", "parts", "manifest_sha256");
    private static final Pattern UPDATE_ID = Pattern.compile("[A-Za-z0-9._:-]{1,128}");
    private static final Pattern LABEL = Pattern.compile("\\P{Cntrl}*");
    private static final Pattern PUBLISH = Pattern.compile("auto|hold");
    private static final Pattern TIED = Pattern.compile("keep|untie|error");

    private UpdateDecoder() {}

    static AdminRequest open(Fields m) throws ProtocolException {
        m.allowOnly(OPEN);
        String label = m.has("label") ? m.text("label", 0, AdminProtocol.MAX_LABEL_CHARS) : "";
        if (!LABEL.matcher(label).matches()) {
            throw m.outOfRange("label", "a text without control characters", m.required("label"));
        }
        Optional<String> tied = m.has("tied")
                ? Optional.of(like(m, "tied", TIED, "one of keep, untie, error")) : Optional.empty();
        boolean hold = m.has("publish") && like(m, "publish", PUBLISH, "auto or hold").equals("hold");
        return new AdminRequest.OpenUpdate(
                AdminDecoder.ref(m), updateId(m), m.longInteger("base_version", 1, Long.MAX_VALUE), label, tied, hold);
    }

    static AdminRequest part(Fields m) throws ProtocolException {
        m.allowOnly(PART);
        long byteLength = m.longInteger("byte_length", 1, Long.MAX_VALUE);
        return new AdminRequest.UpdatePart(AdminDecoder.ref(m), updateId(m), m.integer("part", 0, AdminProtocol.MAX_PART),
                sha256(m, "sha256"), byteLength, m.has("offset") ? m.longInteger("offset", 0, byteLength) : 0);
    }

    static AdminRequest commit(Fields m) throws ProtocolException {
        m.allowOnly(COMMIT);
        return new AdminRequest.CommitUpdate(AdminDecoder.ref(m), updateId(m),
                m.has("parts") ? OptionalInt.of(m.integer("parts", 1, Integer.MAX_VALUE)) : OptionalInt.empty(),
                m.has("manifest_sha256") ? Optional.of(sha256(m, "manifest_sha256")) : Optional.empty());
    }

    /** The update's name, of a request that has nothing else. */
    static String only(Fields m) throws ProtocolException {
        m.allowOnly(ONLY);
        return updateId(m);
    }

    private static String updateId(Fields m) throws ProtocolException {
        return like(m, "update_id", UPDATE_ID, "1 to 128 of A-Za-z0-9._:-");
    }

    private static String sha256(Fields m, String name) throws ProtocolException {
        return like(m, name, AdminDecoder.SHA_256, "64 lower-case hexadecimal digits");
    }

    private static String like(Fields m, String name, Pattern pattern, String words) throws ProtocolException {
        String value = m.text(name, 0, AdminProtocol.MAX_REQUEST_CHARS);
        if (!pattern.matcher(value).matches()) {
            throw m.outOfRange(name, words, m.required(name));
        }
        return value;
    }
}
