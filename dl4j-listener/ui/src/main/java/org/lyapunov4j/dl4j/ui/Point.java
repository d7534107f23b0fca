// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Entry;

/**
 * A checkpoint as the page draws it: the entries of its document under names of the page, left out
 * where not computed, and the whole document by its keys.
 */
final class Point {
  /** Names of the page and the keys they stand for, in the order of the JSON. */
  private static final List<Map.Entry<String, String>> NAMES =
      List.of(
          Map.entry("run", "run"),
          Map.entry("iteration", "iteration"),
          Map.entry("epoch", "epoch"),
          Map.entry("time", "time"),
          Map.entry("loss", "loss"),
          Map.entry("step", "step"),
          Map.entry("level", "level.kind"),
          Map.entry("levelText", "levelText"),
          Map.entry("learningRate", "learningRate"),
          Map.entry("batchSize", "batchSize"),
          Map.entry("examples", "examples"),
          Map.entry("outputs", "outputs"),
          Map.entry("exponent", "exponent.value"),
          Map.entry("exponentError", "exponent.standardError"),
          Map.entry("exponentLow", "exponent.low"),
          Map.entry("exponentHigh", "exponent.high"),
          Map.entry("gdExponent", "gdExponent.value"),
          Map.entry("gdExponentLow", "gdExponent.low"),
          Map.entry("gdExponentHigh", "gdExponent.high"),
          Map.entry("sharpness", "sharpness"),
          Map.entry("sharpnessLimit", "sharpnessLimit"),
          Map.entry("classicEdgeRatio", "classicEdgeRatio"),
          Map.entry("classicGauge", "classicGauge"),
          Map.entry("edgeRatio", "edgeRatio"),
          Map.entry("edgeRatioLow", "edgeRatioLow"),
          Map.entry("edgeRatioHigh", "edgeRatioHigh"),
          Map.entry("meanSquareEdgeRatio", "meanSquareEdgeRatio"),
          Map.entry("edgeForecast", "edgeForecast.text"),
          Map.entry("criticalLearningRate", "criticalLearningRate.value"),
          Map.entry("criticalLearningRateLow", "criticalLearningRate.low"),
          Map.entry("criticalLearningRateHigh", "criticalLearningRate.high"),
          Map.entry("meanSquareIndex", "meanSquare.indexHigh"),
          Map.entry("verdict", "verdict"),
          Map.entry("evidence", "evidence"),
          Map.entry("advice", "advice"));

  private Point() {}

  /** The point of a document. */
  static Map<String, Object> of(CheckpointDocument document) {
    Map<String, Object> point = new LinkedHashMap<>();
    NAMES.forEach(
        name ->
            document
                .entry(name.getValue())
                .ifPresent(entry -> point.put(name.getKey(), entry.value().content())));
    document.words("exponent").ifPresent(text -> point.put("exponentText", text));
    document.words("gdExponent").ifPresent(text -> point.put("gdExponentText", text));
    document.text("levelText").ifPresent(text -> point.putIfAbsent("evidence", text));
    point.put("assumptions", document.sentences("assumptions"));
    point.put("cautions", document.cautions());
    point.put("millis", (long) (document.number("gramMillis") + document.number("analysisMillis")));
    point.put("document", byKey(document));
    return point;
  }

  private static Map<String, Object> byKey(CheckpointDocument document) {
    Map<String, Object> all = new LinkedHashMap<>();
    document.entries().forEach(entry -> all.put(entry.key(), content(entry)));
    return all;
  }

  private static Object content(Entry entry) {
    return Optional.of(entry.value())
        .filter(CheckpointDocument.Value.Parts.class::isInstance)
        .map(CheckpointDocument.Value.Parts.class::cast)
        .<Object>map(parts -> parts.values().stream().map(Point::byKey).toList())
        .orElseGet(() -> entry.value().content());
  }

  /** What the keys mean, for the page's table of all that was found. */
  static List<Map<String, String>> fields() {
    return CheckpointDocument.fields().stream()
        .map(
            field ->
                Map.of(
                    "key", field.key(),
                    "label", field.label(),
                    "unit", field.unit(),
                    "help", field.help()))
        .toList();
  }
}
