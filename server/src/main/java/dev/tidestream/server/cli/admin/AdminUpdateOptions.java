package dev.tidestream.server.cli.admin;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.cli.terminal.Check;

/** The options of {@code admin update}. */
@Command(
        name = "update",
        description = "Change a tensor of a running server, durably, while streams run.",
        sortOptions = false,
        footer = {
            "",
            "The payload is little-endian and row-major, without a header:",
            "  replace, delta   values of the tensor's shape",
            "  rows             row numbers (int32), then the values of these rows; --shape ROWS,COLUMNS",
            "  low_rank         A (rows x rank), then B (rank x columns); A*B is added; --shape as the tensor's",
            "",
            "Examples:",
            "  tidestream admin update --tensor token_embd.weight --kind rows --shape 2,256 --dtype f32 \\",
            "      --payload rows.bin --token-file admin.token",
            "  tidestream admin update --tensor token_embd.weight --kind low_rank --rank 8 --shape 4096,256 \\",
            "      --dtype bf16 --path lora.safetensors --sha256 9f86d0... --token-file admin.token",
        })
abstract class AdminUpdateOptions extends AdminCall {
    private static final Pattern SHA_256 = Pattern.compile("[0-9a-f]{64}");

    @Option(names = "--tensor", paramLabel = "NAME", required = true, description = "GGUF name of the tensor.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    String tensor;

    @Option(names = "--kind", paramLabel = "KIND", required = true, description = "replace, rows, delta or low_rank.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    UpdateKind kind;

    @Option(names = "--shape", paramLabel = "N", split = ",", required = true,
            description = "Dimensions, as the tensor's or ROWS,COLUMNS, with commas.")
    List<Long> shape = List.of();

    @Option(names = "--dtype", paramLabel = "TYPE", required = true, description = "f32, f16 or bf16.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    PayloadType dtype;

    @Option(names = "--payload", paramLabel = "FILE", description = "A file here, which is sent; this or --path.")
    private @Nullable Path payload;

    @Option(names = "--path", paramLabel = "SERVER_FILE",
            description = "A safetensors file in the server's update directory; needs --sha256.")
    private @Nullable String path;

    @Option(names = "--rank", paramLabel = "R", description = "Of low_rank: columns of A, rows of B.")
    private @Nullable Integer rank;

    @Option(names = "--sha256", paramLabel = "HEX",
            description = "With --path: checksum of the payload that the file's tensors make.")
    private @Nullable String sha256;

    @Option(names = "--byte-length", paramLabel = "N",
            description = "With --path: length of that payload (default: what kind, shape and dtype make).")
    private @Nullable Long byteLength;

    @Option(names = "--update-id", paramLabel = "ID",
            description = "An update of the same id and content is applied once (default: a random one).")
    String updateId = UUID.randomUUID().toString();

    @Option(names = "--base-version", paramLabel = "N",
            description = "The version it was made for; refused if another is current (default: the current one).")
    private @Nullable Long baseVersion;

    @Nullable Path payload() {
        return payload;
    }

    @Nullable String path() {
        return path;
    }

    OptionalInt rank() {
        return rank == null ? OptionalInt.empty() : OptionalInt.of(rank);
    }

    OptionalLong baseVersion() {
        return baseVersion == null ? OptionalLong.empty() : OptionalLong.of(baseVersion);
    }

    /** With {@code --path}: as given. */
    String sha256() {
        if (sha256 == null) {
            throw wrong("--path needs --sha256");
        }
        return sha256;
    }

    /** Checks what needs no server. Returns the length of the payload, in bytes. */
    long checkedLength() {
        Check.range(spec, "characters of --tensor", tensor.length(), 1, AdminProtocol.MAX_TENSOR_CHARS);
        Check.range(spec, "characters of --update-id", updateId.length(), 1, AdminProtocol.MAX_REF_CHARS);
        if (baseVersion != null) {
            Check.range(spec, "--base-version", baseVersion, 1, Long.MAX_VALUE);
        }
        checkShape();
        long expected;
        try {
            expected = kind.payloadBytes(shape, dtype, rank == null ? 0 : rank);
        } catch (ArithmeticException e) {
            throw wrong("--shape makes too large a payload: " + shape);
        }
        if ((payload == null) == (path == null)) {
            throw wrong("give --payload FILE or --path SERVER_FILE, one of them");
        }
        if (path == null) {
            if (sha256 != null || byteLength != null) {
                throw wrong("--sha256 and --byte-length are for --path only: those of --payload are computed");
            }
        } else {
            Check.range(spec, "characters of --path", path.length(), 1, AdminProtocol.MAX_PATH_CHARS);
            if (!SHA_256.matcher(sha256()).matches()) {
                throw wrong("--sha256 must be 64 lower-case hexadecimal digits");
            }
            if (byteLength != null && byteLength != expected) {
                throw wrong("--byte-length must be what kind, shape and dtype make: %d, expected %d".formatted(byteLength, expected));
            }
        }
        return expected;
    }

    private void checkShape() {
        boolean matrix = switch (kind) {
            case REPLACE, DELTA -> false;
            case ROWS, LOW_RANK -> true;
        };
        if (matrix ? shape.size() != 2 : shape.size() > AdminProtocol.MAX_DIMENSIONS) {
            throw wrong("--shape must have %s dimensions for kind %s: %s"
                    .formatted(matrix ? "2" : "1 to " + AdminProtocol.MAX_DIMENSIONS, kind.wireName(), shape));
        }
        shape.forEach(dimension -> Check.range(spec, "--shape", dimension, 1, Integer.MAX_VALUE));
        if ((rank != null) != (kind == UpdateKind.LOW_RANK)) {
            throw wrong(rank == null ? "kind low_rank needs --rank" : "--rank is for kind low_rank only: kind=" + kind.wireName());
        }
        if (rank != null) {
            Check.range(spec, "--rank", rank, 1, Integer.MAX_VALUE);
        }
    }

    ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
