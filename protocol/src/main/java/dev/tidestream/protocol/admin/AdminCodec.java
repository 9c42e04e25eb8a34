package dev.tidestream.protocol.admin;

import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.Fields;
import dev.tidestream.protocol.FrameReader;
import dev.tidestream.protocol.ProtocolException;

/**
 * Admin messages to and from text frames, one JSON object each; safe for use by any thread.
 *
 * <pre>
 * administrator → server; all carry "ref": string 1..128          server → administrator
 *
 * {"type":"optimization.set",                                     {"type":"ack",
 *  "mode": "packed" | "cached-transpose" | "transpose-per-step"    "ref":             string,
 *  "optimize_for_inference": true (= packed)                       "weights_version": integer,
 *                          | false (= transpose-per-step)          …}                 per type of request
 *          exactly one of these two
 *  "verify": boolean = true}                                      {"type":"progress",
 * {"type":"optimization.status"}                                   "ref": string, "stage": string,
 *                                                                  "done": integer, "of": integer}
 * {"type":"weights.update",
 *  "update_id":    string 1..128,                                 {"type":"failed",
 *  "base_version": 1..2^63-1,                                      "ref":  string?,
 *  "tensor":       string 1..256, the GGUF name,                   "code": see AdminErrorCode,
 *  "kind":         "replace" | "rows" | "delta" | "low_rank",      "message": string}
 *  "shape":        [1..2^31-1, …] of 1 to 4; see UpdateKind,
 *  "dtype":        "f32" | "f16" | "bf16",
 *  "sha256":       64 lower-case hexadecimal digits,
 *  "byte_length":  integer, as UpdateKind has it,
 *  "rank":         1..2^31-1, for low_rank only,
 *  "path":         string 1..1024, optional}
 * {"type":"weights.open_update", "update_id": 1..128 of A-Za-z0-9._:-, "base_version": 1..2^63-1,
 *  "label": string ..256, optional, "tied": "keep" | "untie" | "error", optional,
 *  "publish": "auto" | "hold" = "auto"}
 * {"type":"weights.part", "update_id", "part": 0..999999, "sha256", "byte_length": 1..2^63-1,
 *  "offset": 0..byte_length = 0}
 * {"type":"weights.commit_update", "update_id", "parts": integer, optional, "manifest_sha256": optional}
 * {"type":"weights.abort_update", "update_id"}, {"type":"weights.update_state", "update_id"}
 * {"type":"weights.rollback", "to_version": 1..2^63-1}
 * {"type":"weights.status"}, {"type":"weights.history"}, {"type":"stats"}, {"type":"streams"}
 * </pre>
 *
 * <p>Without {@code path}, binary frames with exactly {@code byte_length} bytes follow a {@code weights.update}; frames with what is
 * missing from {@code offset} on follow a {@code weights.part}. Requests are
 * read strictly, like the messages of {@link dev.tidestream.protocol.Codec}; replies pass over unknown fields of {@code failed}
 * and {@code progress}.
 */
public final class AdminCodec {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final FrameReader requests;
    private final FrameReader replies;

    /** @param messageChars longest message that is read, in UTF-16 code units */
    public AdminCodec(int messageChars) {
        this.requests = new FrameReader(messageChars, AdminProtocol.MAX_REQUEST_FIELDS, "ref");
        this.replies = new FrameReader(messageChars, messageChars, "ref");
    }

    private interface Decoding<T> {
        T run(String type, Fields message) throws ProtocolException, AdminProtocolException;
    }

    /** Reads a request; strict. */
    public AdminRequest decodeRequest(String frame) throws AdminProtocolException {
        return decode(requests, frame, AdminDecoder::request);
    }

    /** Reads a reply, for clients. */
    public AdminReply decodeReply(String frame) throws AdminProtocolException {
        return decode(replies, frame, AdminDecoder::reply);
    }

    private static <T> T decode(FrameReader reader, String frame, Decoding<T> decoding) throws AdminProtocolException {
        try {
            Fields message = reader.read(frame);
            return decoding.run(FrameReader.type(message), message);
        } catch (ProtocolException e) {
            throw AdminProtocolException.of(e);
        }
    }

    /** The {@code ref} of a frame, if it stands in this head of it; for frames too large to be read. */
    public @Nullable String peekRef(String head) {
        return requests.peek(head);
    }

    /** The compact JSON of a request. */
    public String encode(AdminRequest request) {
        Map<String, Object> fields = switch (request) {
            case AdminRequest.OptimizationSet r -> {
                Map<String, Object> f = head("optimization.set", r.ref());
                f.put("mode", r.mode().wireName());
                f.put("verify", r.verify());
                yield f;
            }
            case AdminRequest.OptimizationStatus r -> head("optimization.status", r.ref());
            case AdminRequest.WeightsUpdate r -> update(r);
            case AdminRequest.WeightsRollback r -> {
                Map<String, Object> f = head("weights.rollback", r.ref());
                f.put("to_version", r.toVersion());
                yield f;
            }
            case AdminRequest.WeightsStatus r -> head("weights.status", r.ref());
            case AdminRequest.WeightsHistory r -> head("weights.history", r.ref());
            case AdminRequest.Stats r -> head("stats", r.ref());
            case AdminRequest.Streams r -> head("streams", r.ref());
            case AdminRequest.OfUpdates r -> ofUpdate(r);
            case AdminRequest.AdapterLoad r -> {
                Map<String, Object> f = head("adapters.load", r.ref());
                f.put("name", r.name());
                f.put("path", r.path());
                yield f;
            }
            case AdminRequest.AdapterUnload r -> {
                Map<String, Object> f = head("adapters.unload", r.ref());
                f.put("name", r.name());
                yield f;
            }
            case AdminRequest.AdapterStatus r -> head("adapters.status", r.ref());
        };
        return json(fields);
    }

    private static Map<String, Object> ofUpdate(AdminRequest.OfUpdates request) {
        Map<String, Object> f = head(switch (request) {
            case AdminRequest.OpenUpdate _ -> "weights.open_update";
            case AdminRequest.UpdatePart _ -> "weights.part";
            case AdminRequest.CommitUpdate _ -> "weights.commit_update";
            case AdminRequest.AbortUpdate _ -> "weights.abort_update";
            case AdminRequest.UpdateState _ -> "weights.update_state";
        }, request.ref());
        f.put("update_id", request.updateId());
        switch (request) {
            case AdminRequest.OpenUpdate r -> {
                f.put("base_version", r.baseVersion());
                f.put("label", r.label());
                r.tied().ifPresent(tied -> f.put("tied", tied));
                f.put("publish", r.hold() ? "hold" : "auto");
            }
            case AdminRequest.UpdatePart r -> {
                f.put("part", r.part());
                f.put("sha256", r.sha256());
                f.put("byte_length", r.byteLength());
                f.put("offset", r.offset());
            }
            case AdminRequest.CommitUpdate r -> {
                r.parts().ifPresent(parts -> f.put("parts", parts));
                r.manifestSha256().ifPresent(sha256 -> f.put("manifest_sha256", sha256));
            }
            case AdminRequest.AbortUpdate _, AdminRequest.UpdateState _ -> { }
        }
        return f;
    }

    private static Map<String, Object> update(AdminRequest.WeightsUpdate r) {
        Map<String, Object> f = head("weights.update", r.ref());
        f.put("update_id", r.updateId());
        f.put("base_version", r.baseVersion());
        f.put("tensor", r.tensor());
        f.put("kind", r.kind().wireName());
        f.put("shape", r.shape());
        f.put("dtype", r.dtype().wireName());
        f.put("sha256", r.sha256());
        f.put("byte_length", r.byteLength());
        r.rank().ifPresent(rank -> f.put("rank", rank));
        if (r.path() != null) {
            f.put("path", r.path());
        }
        return f;
    }

    /** The compact JSON of a reply. */
    public String encode(AdminReply reply) {
        Map<String, Object> fields = switch (reply) {
            case AdminReply.Ack r -> {
                Map<String, Object> f = head("ack", r.ref());
                f.put("weights_version", r.weightsVersion());
                f.putAll(r.details());
                yield f;
            }
            case AdminReply.Failed r -> {
                Map<String, Object> f = head("failed", r.ref());
                f.put("code", r.code().wireName());
                f.put("message", r.message());
                yield f;
            }
            case AdminReply.Progress r -> {
                Map<String, Object> f = head("progress", r.ref());
                f.put("stage", r.stage());
                f.put("done", r.done());
                f.put("of", r.of());
                yield f;
            }
        };
        return json(fields);
    }

    private static Map<String, Object> head(String type, @Nullable String ref) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("type", type);
        if (ref != null) {
            fields.put("ref", ref);
        }
        return fields;
    }

    private static String json(Map<String, Object> fields) {
        try {
            return JSON.writeValueAsString(fields);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The constant with this wire name, or null. */
    static <E extends Enum<E>> @Nullable E find(E[] constants, Function<E, String> wireName, String wire) {
        for (E constant : constants) {
            if (wireName.apply(constant).equals(wire)) {
                return constant;
            }
        }
        return null;
    }
}
