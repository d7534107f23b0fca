// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Field;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Value;

/** Every entry of a document is a meter, or is left out by name with a reason. */
class MetricsAreCompleteTest {
  /** Entries that are meters other than gauges of the enum. */
  private static final Map<String, String> OTHER_METERS =
      Map.of(
          "run", "the tag run",
          "time", MetricsSink.AGE,
          "level.kind", MetricsSink.LEVEL,
          "gramMillis", MetricsSink.COMPUTE,
          "analysisMillis", MetricsSink.COMPUTE);

  private static final Map<String, List<String>> LEFT_OUT =
      Map.of(
          "a sentence, of which lyapunov.cautions counts those that no reader may miss",
          List.of(
              "assumptions",
              "remarks",
              "diagnosis.findings",
              "exponent.reason",
              "gdExponent.reason",
              "spectrum.incomplete",
              "warmUp"),
          "a word or a sentence, which no meter can hold; the record and the log have it",
          List.of(
              "tier",
              "step",
              "updater",
              "stepRemarks",
              "levelText",
              "level.approximation",
              "level.error",
              "level.reason",
              "level.remedy",
              "classicGauge",
              "sampling",
              "momentum",
              "evidence",
              "advice",
              "exponent.sign",
              "exponent.branch",
              "gdExponent.sign",
              "gdExponent.branch",
              "certificate",
              "certificateSign",
              "stopReason",
              "edgeForecast.text",
              "trajectory.curvature",
              "finiteTime.start"),
          "the same at every checkpoint of most runs; the record has it",
          List.of(
              "epoch",
              "examples",
              "outputs",
              "l2",
              "fastestL2",
              "weightDecay",
              "decaysInPart",
              "level.factor",
              "factor",
              "diagnosis.size"),
          "says how well another number is known, of which the metrics hold the interval or error",
          List.of(
              "exponent.steps",
              "exponent.realisations",
              "exponent.variancePerStep",
              "stepsToDecide",
              "certificateMeanSquareStable",
              "certificateValue",
              "certificateThreshold",
              "meanSquare.index",
              "meanSquare.indexLow",
              "criticalLearningRate.low",
              "criticalLearningRate.high",
              "criticalLearningRate.exact",
              "batchSharpness.meanOfRatiosError",
              "batchSharpness.ratioOfMeansError",
              "batchSharpness.batches",
              "trajectory.curvatureError",
              "finiteTime.low",
              "finiteTime.high",
              "finiteTime.realisations"),
          "exact or bounded, so without an error, steps and realisations",
          List.of(
              "gdExponent.standardError",
              "gdExponent.steps",
              "gdExponent.realisations",
              "gdExponent.variancePerStep"),
          "for a closer look than a time series; the record has it",
          List.of(
              "sharpnessLimit",
              "meanSquare.exponent",
              "meanSquare.criticalLearningRate",
              "meanSquare.criticalLearningRateLow",
              "meanSquare.criticalLearningRateHigh",
              "meanSquare.criticalBatchSize",
              "criticalBatchSize",
              "rank",
              "conditionNumber",
              "diagnosis.largest",
              "diagnosis.smallestNonzero",
              "diagnosis.lowest",
              "diagnosis.asymmetry",
              "diagnosis.positiveSemidefinite",
              "diagnosis.components",
              "diagnosis.weakestLink",
              "diagnosis.duplicates",
              "diagnosis.singularityMargin",
              "diagnosis.reflectionMargin",
              "sumOfExponents.value",
              "sumOfExponents.standardError",
              "trajectory.index",
              "trajectory.steps",
              "trajectory.drawn",
              "trajectory.cumulativeSteps",
              "finiteTime.variance",
              "finiteTime.varianceError",
              "finiteTime.variancePerStep",
              "finiteTime.variancePerStepError",
              "finiteTime.skewness",
              "finiteTime.skewnessError"),
          "of smaller probes the changes are shown",
          List.of("probeSizes"),
          "of an analysis from the command line, never of a checkpoint",
          List.of(
              "seconds",
              "spectrum.values",
              "spectrum.standardErrors",
              "spectrum.dimension",
              "spectrum.kernelDimension",
              "spectrum.sum",
              "spectrum.sumError",
              "spectrum.steps",
              "moments"));

  @Test
  void everyEntryIsAMeterOrLeftOutByName() {
    Map<String, String> told = new HashMap<>(OTHER_METERS);
    for (LyapunovGauge gauge : LyapunovGauge.values()) {
      if (gauge != LyapunovGauge.CAUTIONS) {
        assertThat(told.put(gauge.key(), gauge.meterName())).as(gauge.meterName()).isNull();
      }
    }
    LEFT_OUT.forEach(
        (reason, keys) -> keys.forEach(key -> assertThat(told.put(key, reason)).as(key).isNull()));
    Set<String> fields =
        CheckpointDocument.fields().stream()
            .map(Field::key)
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(new TreeSet<>(told.keySet())).isEqualTo(fields);
  }

  /** A number that is left out must not be so for being a sentence, and the reverse. */
  @Test
  void theReasonsFitTheTypes() {
    Map<String, Field> fields =
        CheckpointDocument.fields().stream().collect(Collectors.toMap(Field::key, field -> field));
    Set<Class<?>> texts = Set.of(Value.Text.class, Value.Sentences.class);
    LEFT_OUT.forEach(
        (reason, keys) ->
            keys.forEach(
                key ->
                    assertThat(texts.contains(fields.get(key).type()))
                        .as(key)
                        .isEqualTo(reason.startsWith("a "))));
    Arrays.stream(LyapunovGauge.values())
        .filter(gauge -> gauge != LyapunovGauge.CAUTIONS && gauge != LyapunovGauge.VERDICT)
        .forEach(
            gauge ->
                assertThat(fields.get(gauge.key()).type())
                    .as(gauge.meterName())
                    .isIn(
                        Value.Real.class,
                        Value.Count.class,
                        Value.LowerBound.class,
                        Value.UpperBound.class));
  }

  /** A field and its gauge are in the same unit. */
  @Test
  void unitsAgree() {
    Map<String, Field> fields =
        CheckpointDocument.fields().stream().collect(Collectors.toMap(Field::key, field -> field));
    for (LyapunovGauge gauge : LyapunovGauge.values()) {
      if (gauge != LyapunovGauge.CAUTIONS) {
        assertThat(fields.get(gauge.key()).unit())
            .as(gauge.meterName())
            .isEqualTo(gauge.unit() == null ? "" : gauge.unit());
      }
    }
  }
}
