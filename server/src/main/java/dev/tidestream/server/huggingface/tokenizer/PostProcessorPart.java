package dev.tidestream.server.huggingface.tokenizer;

import java.util.ArrayList;
import java.util.List;

/** Reads {@code post_processor}: what is put around a text. What it does with pairs of texts is not of interest. */
final class PostProcessorPart {
    private final List<Integer> prefix = new ArrayList<>();
    private final List<Integer> suffix = new ArrayList<>();

    private final int tokens;

    private PostProcessorPart(int tokens) {
        this.tokens = tokens;
    }

    /** @param tokens of the vocabulary */
    static PostProcessorPart read(Part part, int tokens) {
        PostProcessorPart processor = new PostProcessorPart(tokens);
        if (!part.isNull()) {
            processor.add(part);
        }
        return processor;
    }

    List<Integer> prefix() {
        return prefix;
    }

    List<Integer> suffix() {
        return suffix;
    }

    private void add(Part part) {
        switch (part.type()) {
            case "Sequence" -> part.only("type", "processors").at("processors").elements().forEach(this::add);
            case "ByteLevel" -> part.only("type", "add_prefix_space", "trim_offsets", "use_regex");
            case "TemplateProcessing" -> template(part.only("type", "single", "pair", "special_tokens"));
            case "RobertaProcessing", "BertProcessing" -> {
                part.only("type", "sep", "cls", "trim_offsets", "add_prefix_space");
                prefix.addFirst(idOf(part.at("cls")));
                suffix.add(idOf(part.at("sep")));
            }
            default -> throw part.at("type").refusal();
        }
    }

    /** {@code [text, id]} */
    private int idOf(Part part) {
        List<Part> both = part.elements();
        if (both.size() != 2) {
            throw part.refusal();
        }
        return id(both.get(1));
    }

    private int id(Part id) {
        if (!id.node().isIntegralNumber()) {
            throw id.refusal();
        }
        if (!id.node().canConvertToInt() || id.node().intValue() < 0 || id.node().intValue() >= tokens) {
            throw id.outside(tokens);
        }
        return id.node().intValue();
    }

    private void template(Part part) {
        List<Integer> before = new ArrayList<>();
        boolean textSeen = false;
        for (Part piece : part.at("single").elements()) {
            piece.only("SpecialToken", "Sequence");
            if (!piece.at("Sequence").isNull()) {
                if (textSeen || !piece.at("Sequence").text("id").equals("A")) {
                    throw piece.refusal();
                }
                textSeen = true;
                continue;
            }
            Part token = part.at("special_tokens").at(piece.at("SpecialToken").text("id"));
            for (Part id : token.only("id", "ids", "tokens").at("ids").elements()) {
                (textSeen ? suffix : before).add(id(id));
            }
        }
        if (!textSeen) {
            throw part.at("single").refusal();
        }
        prefix.addAll(0, before);
    }
}
