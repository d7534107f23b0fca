// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Entry;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Field;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Value;
import org.lyapunov4j.exponent.Estimate;
import org.lyapunov4j.exponent.FiniteTimeExponents;
import org.lyapunov4j.exponent.LyapunovSpectrum;

/**
 * A document says all that a checkpoint holds. The components of core's reports are found by
 * reflection: each must be an entry with the same value, or be left out here by name.
 */
class CheckpointDocumentTest {
  /**
   * The key of each component; * is the component of the enclosing record that led to it, such as
   * exponent or gdExponent.
   */
  private static final Map<String, String> KEYS =
      Map.ofEntries(
          at("Checkpoint.run", "run"),
          at("Checkpoint.iteration", "iteration"),
          at("Checkpoint.epoch", "epoch"),
          at("Checkpoint.time", "time"),
          at("Checkpoint.loss", "loss"),
          at("Checkpoint.probeLoss", "probeLoss"),
          at("Checkpoint.tier", "tier"),
          at("Checkpoint.assumptions", "assumptions"),
          at("Checkpoint.smallerProbes", "probeSizes"),
          at("Checkpoint.gramBytes", "gramBytes"),
          at("Checkpoint.gramTime", "gramMillis"),
          at("Checkpoint.analysisTime", "analysisMillis"),
          at("TrainingStep.updater", "updater"),
          at("TrainingStep.warmUp", "warmUp"),
          at("TrainingStep.remarks", "stepRemarks"),
          at("Approximate.approximation", "level.approximation"),
          at("Approximate.error", "level.error"),
          at("Observed.reason", "level.reason"),
          at("Observed.remedy", "level.remedy"),
          at("SgdStep.learningRate", "learningRate"),
          at("SgdStep.batchSize", "batchSize"),
          at("SgdStep.l2", "l2"),
          at("SgdStep.weightDecay", "weightDecay"),
          at("SgdStep.decaysInPart", "decaysInPart"),
          at("SgdStep.fastestL2", "fastestL2"),
          at("StabilityReport.examples", "examples"),
          at("StabilityReport.outputs", "outputs"),
          at("StabilityReport.sharpness", "sharpness"),
          at("StabilityReport.classicEdgeRatio", "classicEdgeRatio"),
          at("StabilityReport.criticalBatchSize", "criticalBatchSize"),
          at("StabilityReport.remarks", "remarks"),
          at("EdgeReport.examples", "examples"),
          at("EdgeReport.outputs", "outputs"),
          at("EdgeReport.sharpness", "sharpness"),
          at("EdgeReport.classicEdgeRatio", "classicEdgeRatio"),
          at("EdgeReport.factor", "factor"),
          at("EdgeReport.remarks", "remarks"),
          at("ObservedReport.examples", "examples"),
          at("ObservedReport.outputs", "outputs"),
          at("ObservedReport.measuredSharpness", "sharpness"),
          at("ObservedReport.kernel", "kernel"),
          at("ObservedReport.floorRatio", "floorRatio"),
          at("ObservedReport.remarks", "remarks"),
          at("ExactExponent.value", "*.value"),
          at("LyapunovEstimate.value", "*.value"),
          at("LyapunovEstimate.standardError", "*.standardError"),
          at("LyapunovEstimate.low", "*.low"),
          at("LyapunovEstimate.high", "*.high"),
          at("LyapunovEstimate.sign", "*.sign"),
          at("LyapunovEstimate.branch", "*.branch"),
          at("LyapunovEstimate.steps", "*.steps"),
          at("LyapunovEstimate.realisations", "*.realisations"),
          at("LyapunovEstimate.variancePerStep", "*.variancePerStep"),
          at("LyapunovEstimate.stopReason", "stopReason"),
          at("ExponentBound.low", "*.low"),
          at("ExponentBound.high", "*.high"),
          at("ExponentBound.sign", "*.sign"),
          at("ExponentBound.reason", "*.reason"),
          at("Certificate.kind", "certificate"),
          at("Certificate.sign", "certificateSign"),
          at("Certificate.meanSquareStable", "certificateMeanSquareStable"),
          at("Certificate.value", "certificateValue"),
          at("Certificate.threshold", "certificateThreshold"),
          at("MeanSquareReport.exponent", "meanSquare.exponent"),
          at("MeanSquareReport.criticalBatchSize", "meanSquare.criticalBatchSize"),
          at("Enclosure.value", "meanSquare.*"),
          at("Enclosure.low", "meanSquare.*Low"),
          at("Enclosure.high", "meanSquare.*High"),
          at("CriticalLearningRate.value", "criticalLearningRate.value"),
          at("CriticalLearningRate.low", "criticalLearningRate.low"),
          at("CriticalLearningRate.high", "criticalLearningRate.high"),
          at("CriticalLearningRate.isExact", "criticalLearningRate.exact"),
          at("GramDiagnosis.rank", "rank"),
          at("GramDiagnosis.size", "diagnosis.size"),
          at("GramDiagnosis.largest", "diagnosis.largest"),
          at("GramDiagnosis.smallestNonzero", "diagnosis.smallestNonzero"),
          at("GramDiagnosis.conditionNumber", "conditionNumber"),
          at("GramDiagnosis.lowest", "diagnosis.lowest"),
          at("GramDiagnosis.asymmetry", "diagnosis.asymmetry"),
          at("GramDiagnosis.isPositiveSemidefinite", "diagnosis.positiveSemidefinite"),
          at("GramDiagnosis.components", "diagnosis.components"),
          at("GramDiagnosis.weakestLink", "diagnosis.weakestLink"),
          at("GramDiagnosis.duplicates", "diagnosis.duplicates"),
          at("GramDiagnosis.singularityMargin", "diagnosis.singularityMargin"),
          at("GramDiagnosis.reflectionMargin", "diagnosis.reflectionMargin"),
          at("Verdict.kind", "verdict"),
          at("Verdict.evidence", "evidence"),
          at("Verdict.stepsToDecide", "stepsToDecide"),
          at("EdgeForecast.iteration", "edgeForecast.iteration"),
          at("EdgeForecast.low", "edgeForecast.low"),
          at("EdgeForecast.high", "edgeForecast.high"),
          at("BatchSharpness.batches", "batchSharpness.batches"),
          at("Window.index", "trajectory.index"),
          at("Window.steps", "trajectory.steps"),
          at("Window.drawn", "trajectory.drawn"),
          at("Window.cumulativeSteps", "trajectory.cumulativeSteps"),
          at("Window.curvature", "trajectory.curvature"),
          at("Window.curvatureError", "trajectory.curvatureError"),
          at("FiniteTimeExponents.horizon", "finiteTime.horizon"),
          at("FiniteTimeExponents.start", "finiteTime.start"),
          at("FiniteTimeExponents.trajectories", "finiteTime.realisations"),
          at("Proportion.value", "finiteTime.probabilityNegative"),
          at("Proportion.low", "finiteTime.low"),
          at("Proportion.high", "finiteTime.high"));

  /** Estimates, by the component that holds them. */
  private static final Map<String, List<String>> ESTIMATES =
      Map.of(
          "sumOfExponents", List.of("sumOfExponents.value", "sumOfExponents.standardError"),
          "meanOfRatios",
              List.of("batchSharpness.meanOfRatios", "batchSharpness.meanOfRatiosError"),
          "ratioOfMeans",
              List.of("batchSharpness.ratioOfMeans", "batchSharpness.ratioOfMeansError"),
          "mean", List.of("finiteTime.mean", "finiteTime.meanError"),
          "variance", List.of("finiteTime.variance", "finiteTime.varianceError"),
          "varianceRate", List.of("finiteTime.variancePerStep", "finiteTime.variancePerStepError"),
          "skewness", List.of("finiteTime.skewness", "finiteTime.skewnessError"));

  private static final Map<String, String> LEFT_OUT =
      Map.of(
          "LyapunovEstimate.history",
              "the looks of a sequential test; the last one is the estimate",
          "CriticalLearningRate.evaluations", "the path of a search; its end is the interval",
          "Window.growth", "is exponent times steps",
          "Window.cumulativeGrowth", "is cumulativeExponent times cumulativeSteps",
          "TrainingStep.groups", "who does not decay, and whose memory differs, is in the remarks",
          "SgdStep.sampling", "its short name, checked by itself",
          "SgdStep.momentum", "its sentence, checked by itself",
          "Approximate.factor", "of gauges alone, checked by itself",
          "FiniteTimeExponents.gaussianRate", "follows from mean and variance per step",
          "EdgeReport.step", "the step of the checkpoint");

  private static Map.Entry<String, String> at(String component, String key) {
    return Map.entry(component, key);
  }

  @Test
  void everyComponentOfTheReportsHasAKeyOrIsLeftOutByName() {
    Set<String> found = new TreeSet<>();
    collect(Checkpoint.class, found, new HashSet<>());
    Set<String> known = new TreeSet<>(KEYS.keySet());
    known.addAll(LEFT_OUT.keySet());
    assertThat(found).containsExactlyInAnyOrderElementsOf(known);
  }

  /** The leaves below a type: components that are no record and hold none. */
  private static void collect(Class<?> type, Set<String> leaves, Set<Class<?>> seen) {
    if (!seen.add(type)) {
      return;
    }
    if (type.isSealed()) {
      Stream.of(type.getPermittedSubclasses()).forEach(sub -> collect(sub, leaves, seen));
    }
    for (Method part : parts(type)) {
      String name = type.getSimpleName() + "." + part.getName();
      Class<?> inner = element(part.getGenericReturnType());
      boolean leaf = KEYS.containsKey(name) || LEFT_OUT.containsKey(name) || !isOurs(inner);
      if (leaf) {
        leaves.add(name);
      } else if (inner != Estimate.class) {
        collect(inner, leaves, seen);
      }
    }
  }

  private static List<Method> parts(Class<?> type) {
    if (type == FiniteTimeExponents.class) {
      return Stream.of(type.getDeclaredMethods())
          .filter(m -> Modifier.isPublic(m.getModifiers()) && m.getParameterCount() == 0)
          .filter(m -> !Set.of("toString", "toArray", "hashCode").contains(m.getName()))
          .toList();
    }
    return type.isRecord()
        ? Stream.of(type.getRecordComponents()).map(RecordComponent::getAccessor).toList()
        : List.of();
  }

  private static Class<?> element(Type type) {
    if (type instanceof ParameterizedType parameterized) {
      return element(parameterized.getActualTypeArguments()[0]);
    }
    return (Class<?>) type;
  }

  private static boolean isOurs(Class<?> type) {
    return type.getName().startsWith("org.lyapunov4j") && !type.isEnum();
  }

  /** The same numbers, texts and sentences, for checkpoints of every kind. */
  @Test
  void everyEntryHasTheValueOfItsComponent() throws Exception {
    Map<String, Integer> compared = new HashMap<>();
    for (Checkpoint checkpoint : SampleCheckpoints.all()) {
      compare(checkpoint, "", CheckpointDocument.of(checkpoint), checkpoint, compared);
    }
    Set<String> never = new TreeSet<>(KEYS.keySet());
    never.removeAll(compared.keySet());
    assertThat(never)
        .as("components that no sample has")
        .isSubsetOf(Set.of("Verdict.stepsToDecide", "MeanSquareReport.criticalBatchSize"));
  }

  private void compare(
      Object holder,
      String context,
      CheckpointDocument document,
      Checkpoint checkpoint,
      Map<String, Integer> compared)
      throws Exception {
    for (Method part : parts(holder.getClass())) {
      part.setAccessible(true);
      String name = holder.getClass().getSimpleName() + "." + part.getName();
      Object value = unwrapped(part.invoke(holder));
      if (value == null || LEFT_OUT.containsKey(name)) {
        continue;
      }
      if (value instanceof Estimate estimate) {
        List<String> keys = ESTIMATES.get(part.getName());
        assertThat(document.number(keys.get(0))).as(name).isEqualTo(estimate.value());
        assertThat(document.number(keys.get(1))).as(name).isEqualTo(estimate.standardError());
      } else if (KEYS.containsKey(name)) {
        String key = KEYS.get(name).replace("*", context);
        if (isSaid(name, value, checkpoint)) {
          compared.merge(name, 1, Integer::sum);
          assertThat(said(document, key)).as(name + " of " + checkpoint).isEqualTo(plain(value));
        }
      } else if (parts(value.getClass()).isEmpty()) {
        assertThat(value.getClass().getSimpleName()).isEqualTo("Exact"); // a level without parts
      } else {
        compare(value, part.getName(), document, checkpoint, compared);
      }
    }
  }

  /** Zero and empty say nothing, and a step that is only observed has no rate and no decay. */
  private static boolean isSaid(String name, Object value, Checkpoint checkpoint) {
    boolean decays = checkpoint.step().sgd().l2() + checkpoint.step().sgd().weightDecay() > 0;
    boolean empty = value instanceof List<?> list && list.isEmpty();
    boolean warming = name.startsWith("Verdict.") && checkpoint.step().warmUp().isPresent();
    if (Set.of("SgdStep.l2", "SgdStep.weightDecay", "SgdStep.fastestL2", "SgdStep.decaysInPart")
        .contains(name)) {
      return decays;
    }
    return !warming
        && !(empty && !name.equals("GramDiagnosis.duplicates"))
        && !(name.equals("SgdStep.learningRate") && value.equals(0.0));
  }

  private static Object unwrapped(Object value) {
    if (value instanceof Optional<?> optional) {
      return optional.orElse(null);
    }
    if (value instanceof OptionalDouble optional) {
      return optional.isPresent() ? optional.getAsDouble() : null;
    }
    if (value instanceof OptionalInt optional) {
      return optional.isPresent() ? optional.getAsInt() : null;
    }
    if (value instanceof OptionalLong optional) {
      return optional.isPresent() ? optional.getAsLong() : null;
    }
    return value;
  }

  private static Object plain(Object value) {
    if (value instanceof Enum<?> constant) {
      return constant.name();
    }
    if (value instanceof Integer number) {
      return number.longValue();
    }
    if (value instanceof Duration duration) {
      return duration.toMillis();
    }
    if (value instanceof List<?> list && (list.isEmpty() || !(list.get(0) instanceof String))) {
      return (long) list.size();
    }
    return value;
  }

  private static Object said(CheckpointDocument document, String key) {
    Value value =
        document.entries().stream()
            .filter(entry -> entry.key().equals(key))
            .map(Entry::value)
            .findFirst()
            .orElseThrow(() -> new AssertionError("no entry " + key));
    if (value instanceof Value.Parts parts) {
      return (long) parts.values().size();
    }
    try {
      return value.getClass().getRecordComponents()[0].getAccessor().invoke(value);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("a record without accessors", e);
    }
  }

  @Test
  void whatIsDerivedFollowsFromTheRest() {
    Checkpoint checkpoint = SampleCheckpoints.estimated();
    CheckpointDocument document = CheckpointDocument.of(checkpoint);
    double critical = checkpoint.findings().criticalLearningRate().orElseThrow().value();
    assertThat(document.number("edgeRatio")).isEqualTo(0.2 / critical);
    assertThat(document.number("edgeRatioLow")).isLessThanOrEqualTo(document.number("edgeRatio"));
    assertThat(document.number("edgeRatioHigh"))
        .isGreaterThanOrEqualTo(document.number("edgeRatio"));
    assertThat(document.number("sharpnessLimit")).isEqualTo(2 / 0.2);
    assertThat(document.number("classicEdgeRatio"))
        .isEqualTo(document.number("sharpness") / document.number("sharpnessLimit"));
    assertThat(document.number("gramRows")).isEqualTo(8);
    assertThat(document.number("probeChange")).isZero();
    assertThat(document.text("sampling")).contains(checkpoint.step().sgd().sampling().id());
    assertThat(document.text("step")).contains(checkpoint.step().toString());
    assertThat(document.words("exponent")).contains(checkpoint.stability().exponent().toString());
    assertThat(document.words("gdExponent"))
        .contains(checkpoint.stability().gdExponent().toString());
    assertThat(document.parts("probeSizes"))
        .containsOnly(CheckpointDocument.of(checkpoint.smallerProbes().get(0)));
    CheckpointDocument gauge = CheckpointDocument.of(SampleCheckpoints.all().get(3));
    assertThat(gauge.number("level.factor")).isEqualTo(1.5);
    assertThat(CheckpointDocument.of(SampleCheckpoints.all().get(2)).text("momentum"))
        .contains(SampleCheckpoints.all().get(2).step().sgd().momentum().toString());
  }

  @Test
  void aWarmingUpdaterConcludesNothing() {
    CheckpointDocument document = CheckpointDocument.of(SampleCheckpoints.all().get(2));
    assertThat(document.text("verdict")).contains("WARMING_UP");
    assertThat(document.cautions()).contains("3 gradients seen");
  }

  /** What nobody may miss: of every source, none twice. */
  @Test
  void cautionsAreAssumptionsRemarksFindingsAndReasons() {
    assertThat(CheckpointDocument.of(SampleCheckpoints.estimated()).cautions())
        .contains("dropout was off", "the native routine was wrong, Java took its place")
        .anyMatch(caution -> caution.contains("pairs of examples have the same gradients"))
        .anyMatch(caution -> caution.contains("(H1) fails"))
        .doesNotHaveDuplicates();
    CheckpointDocument bounded = CheckpointDocument.of(SampleCheckpoints.all().get(1));
    assertThat(bounded.has("exponent.value")).isFalse();
    assertThat(bounded.words("exponent").orElseThrow()).startsWith("between ");
    assertThat(bounded.cautions())
        .anyMatch(caution -> caution.startsWith("λ is only bounded: "))
        .anyMatch(caution -> caution.startsWith("μ is only bounded: "));
  }

  @Test
  void aSpectrumOfSomeExponentsSaysSo() {
    LyapunovSpectrum some =
        new LyapunovSpectrum(
            List.of(Estimate.exact(-0.1), new Estimate(-0.2, 0.01)), 7, 1, Estimate.exact(-9), 50);
    CheckpointDocument document =
        CheckpointDocument.of(
            SampleCheckpoints.estimated().stability(),
            0.5,
            Optional.of(some),
            List.of(),
            Optional.empty());
    assertThat(document.cautions())
        .contains("the spectrum is incomplete: the largest 2 of 7 exponents");
    assertThat(document.number("spectrum.sum")).isEqualTo(-9);
    assertThat(document.number("spectrum.kernelDimension")).isEqualTo(1);
    assertThat(document.number("spectrum.steps")).isEqualTo(50);
  }

  @Test
  void keysAreUniqueAndNoKeyIsPartOfAnother() {
    List<String> keys = CheckpointDocument.fields().stream().map(Field::key).toList();
    assertThat(keys).doesNotHaveDuplicates();
    for (String key : keys) {
      assertThat(keys).noneMatch(other -> other.startsWith(key + "."));
    }
    assertThat(CheckpointDocument.fields())
        .allSatisfy(
            field -> {
              assertThat(field.label()).isNotBlank();
              assertThat(field.help()).isNotBlank().doesNotEndWith(".");
            });
  }

  @Test
  void anUnknownKeyAndAWrongTypeAreRefused() {
    CheckpointDocument document = CheckpointDocument.of(SampleCheckpoints.estimated());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> document.number("exponent"))
        .withMessageContaining("got exponent; fields() lists them");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> document.number("verdict"))
        .withMessageContaining("a number must be asked for under the key of one");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Entry(CheckpointDocument.fields().get(0), new Value.Real(1)))
        .withMessageContaining("run must be a Text");
    List<Entry> twice = Arrays.asList(document.entries().get(0), document.entries().get(0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CheckpointDocument.of(CheckpointDocument.fields(), twice))
        .withMessageContaining("a second run");
  }
}
