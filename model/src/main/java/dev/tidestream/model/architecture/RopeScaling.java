package dev.tidestream.model.architecture;

/** How a file has positions scaled before they are turned into angles. */
final class RopeScaling {
    private RopeScaling() {}

    /** What positions are multiplied by; 1 for none. */
    static float positionScale(GgufKeys keys) {
        String type = keys.findString("rope.scaling.type").orElse("none");
        return switch (type) {
            case "none" -> 1f;
            case "linear" -> 1f / keys.float32("rope.scaling.factor");
            default -> throw new ModelException(
                    "%s is not supported: %s (supported: none, linear)".formatted(keys.name("rope.scaling.type"), type));
        };
    }
}
