// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Entry;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Field;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Section;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Value;
import org.lyapunov4j.exponent.Sign;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.node.JsonNodeFactory;
import org.nd4j.shade.jackson.databind.node.ObjectNode;

/**
 * Documents as JSON objects and back: keys are paths in the object. What was found at a checkpoint
 * with λ lies in the object {@code stability}, whatever has no entry is absent.
 */
final class DocumentJson {
  private static final String TYPE = "type";
  private static final String CHECKPOINT = "checkpoint";
  private static final String OBSERVATION = "observation";
  private static final String STABILITY = "stability";
  private static final List<String> REQUIRED = List.of("iteration", "time", "tier");
  private static final List<String> REQUIRED_OF_STABILITY =
      List.of("exponent.low", "gdExponent.low", "verdict");

  private DocumentJson() {}

  /** A checkpoint as a line of a record. */
  static Map<String, Object> line(CheckpointDocument document) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put(TYPE, document.hasStability() ? CHECKPOINT : OBSERVATION);
    line.putAll(tree(document));
    return line;
  }

  /** A document as an object of objects. */
  static Map<String, Object> tree(CheckpointDocument document) {
    boolean nested = document.iteration() >= 0 && document.hasStability();
    Map<String, Object> root = new LinkedHashMap<>();
    for (Entry entry : document.entries()) {
      boolean inside = nested && entry.field().section() == Section.FINDINGS;
      put(root, inside ? STABILITY + "." + entry.key() : entry.key(), json(entry.value()));
    }
    return root;
  }

  private static Object json(Value value) {
    return value instanceof Value.Parts parts
        ? parts.values().stream().map(DocumentJson::tree).toList()
        : value.content();
  }

  @SuppressWarnings("unchecked") // objects within objects are of our own making
  private static void put(Map<String, Object> root, String key, Object value) {
    Map<String, Object> object = root;
    int dot = key.indexOf('.');
    for (; dot >= 0; dot = key.indexOf('.')) {
      object =
          (Map<String, Object>)
              object.computeIfAbsent(key.substring(0, dot), name -> new LinkedHashMap<>());
      key = key.substring(dot + 1);
    }
    object.put(key, value);
  }

  /** Whether a line of a record is a checkpoint. */
  static boolean isCheckpoint(JsonNode line) {
    String type = line.path(TYPE).asText();
    return type.equals(CHECKPOINT) || type.equals(OBSERVATION);
  }

  /**
   * Reads a line of a record.
   *
   * @throws IllegalArgumentException if it is damaged
   */
  static CheckpointDocument read(JsonNode line) {
    JsonNode findings = line.has(STABILITY) ? line.get(STABILITY) : line;
    CheckpointDocument document = read(CheckpointDocument.fields(), line, findings);
    require(document, REQUIRED);
    if (line.get(TYPE).asText().equals(CHECKPOINT)) {
      require(document, REQUIRED_OF_STABILITY);
    }
    return document;
  }

  /** Reads a document, with or without a checkpoint around it. */
  static CheckpointDocument document(JsonNode json) {
    return isCheckpoint(json) ? read(json) : read(CheckpointDocument.fields(), json, json);
  }

  private static void require(CheckpointDocument document, List<String> keys) {
    for (String key : keys) {
      if (!document.has(key)) {
        throw new IllegalArgumentException("a checkpoint must have " + key + ", got none");
      }
    }
  }

  private static CheckpointDocument read(List<Field> fields, JsonNode root, JsonNode findings) {
    JsonNode present = ofSchemaTwo(findings);
    List<Entry> entries = new ArrayList<>();
    for (Field field : fields) {
      JsonNode object = field.section() == Section.FINDINGS ? present : root;
      JsonNode node = object.at("/" + field.key().replace('.', '/'));
      boolean undefined = node.isNull() && field.type() != Value.Real.class;
      if (!node.isMissingNode() && !undefined) {
        entries.add(new Entry(field, value(field, node)));
      }
    }
    return CheckpointDocument.of(fields, entries);
  }

  private static Value value(Field field, JsonNode node) {
    Class<? extends Value> type = field.type();
    if (type == Value.Real.class) {
      return new Value.Real(number(field, node));
    }
    if (type == Value.LowerBound.class) {
      return new Value.LowerBound(number(field, node));
    }
    if (type == Value.UpperBound.class) {
      return new Value.UpperBound(number(field, node));
    }
    if (type == Value.Count.class) {
      require(node.isIntegralNumber(), field, node);
      return new Value.Count(node.longValue());
    }
    if (type == Value.Flag.class) {
      require(node.isBoolean(), field, node);
      return new Value.Flag(node.booleanValue());
    }
    if (type == Value.Text.class) {
      return new Value.Text(text(field, node));
    }
    if (type == Value.Time.class) {
      return new Value.Time(time(field, node));
    }
    require(node.isArray(), field, node);
    List<JsonNode> elements = new ArrayList<>();
    node.forEach(elements::add);
    if (type == Value.Sentences.class) {
      return new Value.Sentences(elements.stream().map(e -> text(field, e)).toList());
    }
    return type == Value.Numbers.class
        ? new Value.Numbers(elements.stream().map(e -> number(field, e)).toList())
        : new Value.Parts(elements.stream().map(e -> read(field.parts(), e, e)).toList());
  }

  private static double number(Field field, JsonNode node) {
    if (node.isNull()) {
      return Double.NaN;
    }
    if (node.isTextual()) {
      require(node.textValue().matches("-?Infinity|NaN"), field, node);
      return Double.parseDouble(node.textValue());
    }
    require(node.isNumber(), field, node);
    return node.doubleValue();
  }

  private static String text(Field field, JsonNode node) {
    require(node.isTextual(), field, node);
    return node.textValue();
  }

  private static Instant time(Field field, JsonNode node) {
    try {
      return Instant.parse(text(field, node));
    } catch (DateTimeException e) {
      throw new IllegalArgumentException(field.key() + " must be a time, got " + node, e);
    }
  }

  private static void require(boolean rule, Field field, JsonNode node) {
    if (!rule) {
      throw new IllegalArgumentException(
          field.key() + " must be a " + field.type().getSimpleName() + ", got " + node);
    }
  }

  /** Until schema 1 μ was a bare number, and an exponent had no sign. */
  private static JsonNode ofSchemaTwo(JsonNode findings) {
    JsonNode exponent = findings.path("exponent");
    JsonNode gdExponent = findings.path("gdExponent");
    if (!isOld(exponent) && !isOld(gdExponent)) {
      return findings;
    }
    ObjectNode changed = ((ObjectNode) findings).deepCopy();
    changed.set("exponent", ofSchemaTwo("exponent", exponent));
    changed.set("gdExponent", ofSchemaTwo("gdExponent", gdExponent));
    return changed;
  }

  private static boolean isOld(JsonNode exponent) {
    return exponent.isValueNode() || (exponent.isObject() && !exponent.has("sign"));
  }

  private static JsonNode ofSchemaTwo(String key, JsonNode exponent) {
    if (!isOld(exponent)) {
      return exponent;
    }
    ObjectNode whole = JsonNodeFactory.instance.objectNode();
    if (exponent.isObject()) {
      whole.setAll((ObjectNode) exponent);
    } else {
      whole.set("value", exponent);
      whole.put("standardError", 0.0);
      whole.set("low", exponent);
      whole.set("high", exponent);
    }
    double low = bound(key, whole.path("low"));
    double high = bound(key, whole.path("high"));
    Sign sign = low > 0 ? Sign.POSITIVE : high < 0 ? Sign.NEGATIVE : Sign.UNDECIDED;
    return whole.put("sign", sign.name());
  }

  private static double bound(String key, JsonNode node) {
    if (!node.isNumber() && !node.isTextual()) {
      throw new IllegalArgumentException(key + " must have bounds, got " + node);
    }
    return node.isNumber() ? node.doubleValue() : Double.parseDouble(node.textValue());
  }
}
