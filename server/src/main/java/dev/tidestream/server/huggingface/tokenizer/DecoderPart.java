package dev.tidestream.server.huggingface.tokenizer;

import java.util.ArrayList;
import java.util.List;

import dev.tidestream.model.tokenizer.TokenizerSpec.Decoding;
import dev.tidestream.model.tokenizer.TokenizerSpec.Spelling;
import dev.tidestream.model.tokenizer.pretokenizer.Step;

/**
 * Reads {@code decoder}. Tokens become bytes one by one here, so that text can be streamed: the same text, but for bytes that are no UTF-8,
 * of which Hugging Face's ByteFallback gives U+FFFD for each byte of a row.
 */
final class DecoderPart {
    private static final String ESCAPED_SPACE = "▁";

    private DecoderPart() {}

    static Decoding read(Part part) {
        if (part.isNull()) {
            throw part.refusal(); // would put a space between tokens
        }
        Spelling spelling = Spelling.TEXT;
        boolean strips = false;
        for (Part step : steps(part)) {
            switch (step.type()) {
                case "ByteLevel" -> {
                    step.only("type", "add_prefix_space", "trim_offsets", "use_regex");
                    spelling = Spelling.BYTE_ALPHABET;
                }
                case "Metaspace" -> {
                    step.only("type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep");
                    spelling = escaped(step, step.text("replacement"), " ");
                    strips |= PreTokenizerPart.prefix(step) != Step.Prefix.NOWHERE;
                }
                case "Replace" -> {
                    step.only("type", "pattern", "content").at("pattern").only("String");
                    spelling = escaped(step, step.at("pattern").text("String"), step.text("content"));
                }
                case "ByteFallback", "Fuse" -> step.only("type");
                case "Strip" -> strips |= strips(step);
                default -> throw step.at("type").refusal();
            }
        }
        return new Decoding(spelling, spelling == Spelling.ESCAPED_SPACES, strips);
    }

    private static List<Part> steps(Part part) {
        if (!part.type().equals("Sequence")) {
            return List.of(part);
        }
        List<Part> steps = new ArrayList<>();
        part.only("type", "decoders").at("decoders").elements().forEach(each -> steps.addAll(steps(each)));
        return steps;
    }

    private static Spelling escaped(Part step, String wanted, String content) {
        if (!wanted.equals(ESCAPED_SPACE) || !content.equals(" ")) {
            throw step.refusal();
        }
        return Spelling.ESCAPED_SPACES;
    }

    private static boolean strips(Part step) {
        step.only("type", "content", "start", "stop");
        int start = step.integer("start");
        if (!step.text("content").equals(" ") || start < 0 || start > 1 || step.integer("stop") != 0) {
            throw step.refusal();
        }
        return start == 1;
    }
}
