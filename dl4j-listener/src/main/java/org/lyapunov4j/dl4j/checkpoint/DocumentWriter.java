// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.checkpoint;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Entry;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Field;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Value;
import org.lyapunov4j.dl4j.step.Level;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.exponent.Estimate;
import org.lyapunov4j.exponent.ExponentBound;
import org.lyapunov4j.exponent.FiniteTimeExponents;
import org.lyapunov4j.exponent.FullBatchExponent;
import org.lyapunov4j.exponent.LyapunovEstimate;
import org.lyapunov4j.exponent.LyapunovExponent;
import org.lyapunov4j.exponent.LyapunovSpectrum;
import org.lyapunov4j.exponent.MomentExponent;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.gram.GramDiagnosis;
import org.lyapunov4j.stability.BatchSharpness;
import org.lyapunov4j.stability.Certificate;
import org.lyapunov4j.stability.CriticalLearningRate;
import org.lyapunov4j.stability.EdgeForecast;
import org.lyapunov4j.stability.EdgeReport;
import org.lyapunov4j.stability.Findings;
import org.lyapunov4j.stability.MeanSquareReport;
import org.lyapunov4j.stability.ObservedReport;
import org.lyapunov4j.stability.StabilityReport;
import org.lyapunov4j.stability.Verdict;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;

/** Puts the components of core's reports into the entries of one document. */
final class DocumentWriter {
  private final List<Field> schema;
  private final Map<String, Field> fields;
  private final List<Entry> entries = new ArrayList<>();

  DocumentWriter(List<Field> schema) {
    this.schema = schema;
    fields = schema.stream().collect(Collectors.toMap(Field::key, Function.identity()));
  }

  CheckpointDocument checkpoint(Checkpoint checkpoint) {
    text("run", checkpoint.run());
    count("iteration", checkpoint.iteration());
    count("epoch", checkpoint.epoch());
    put("time", new Value.Time(checkpoint.time()));
    text("tier", checkpoint.tier().name());
    number("loss", checkpoint.loss());
    if (checkpoint.hasStability() || !Double.isNaN(checkpoint.probeLoss())) {
      number("probeLoss", checkpoint.probeLoss());
    }
    trainingStep(checkpoint.step());
    count("gramMillis", checkpoint.gramTime().toMillis());
    count("analysisMillis", checkpoint.analysisTime().toMillis());
    count("gramBytes", checkpoint.gramBytes());
    count("gramRows", (long) checkpoint.findings().examples() * checkpoint.findings().outputs());
    sentences("assumptions", checkpoint.assumptions());
    if (!(checkpoint.findings() instanceof ObservedReport)) {
      text("classicGauge", checkpoint.classicGauge());
    }
    found(checkpoint);
    checkpoint.forecast().ifPresent(this::forecast);
    checkpoint.batchSharpness().ifPresent(this::batchSharpness);
    checkpoint.trajectory().ifPresent(this::trajectory);
    checkpoint.finiteTime().ifPresent(this::finiteTime);
    smallerProbes(checkpoint);
    return document();
  }

  CheckpointDocument findings(StabilityReport report, Verdict verdict) {
    stability(report, verdict);
    return document();
  }

  CheckpointDocument analysis(
      StabilityReport report,
      double seconds,
      Optional<LyapunovSpectrum> spectrum,
      List<MomentExponent> moments,
      Optional<FiniteTimeExponents> finiteTime) {
    stability(report, report.verdict());
    number("seconds", seconds);
    spectrum.ifPresent(this::spectrum);
    parts("moments", moments, DocumentWriter::moment);
    finiteTime.ifPresent(this::finiteTime);
    return document();
  }

  CheckpointDocument alone(FiniteTimeExponents exponents) {
    finiteTime(exponents);
    return document();
  }

  /** In the order of the fields. */
  private CheckpointDocument document() {
    Map<Field, Entry> written =
        entries.stream().collect(Collectors.toMap(Entry::field, Function.identity()));
    return CheckpointDocument.of(
        schema, schema.stream().filter(written::containsKey).map(written::get).toList());
  }

  private void found(Checkpoint checkpoint) {
    Findings findings = checkpoint.findings();
    if (findings instanceof StabilityReport report) {
      stability(report, checkpoint.verdict().orElseThrow());
    } else if (findings instanceof EdgeReport gauge) {
      report(gauge, checkpoint.step().sgd());
      number("sharpness", gauge.sharpness());
      number("sharpnessLimit", FullBatchExponent.criticalCurvature(gauge.step()));
      number("classicEdgeRatio", gauge.classicEdgeRatio());
      number("factor", gauge.factor());
    } else if (findings instanceof ObservedReport seen) {
      report(seen, checkpoint.step().sgd());
      number("sharpness", seen.measuredSharpness());
      number("kernel", seen.kernel());
      number("floorRatio", seen.floorRatio());
    }
  }

  private void trainingStep(TrainingStep step) {
    text("step", step.toString());
    text("updater", step.updater());
    step.warmUp().ifPresent(why -> text("warmUp", why));
    sentences("stepRemarks", step.remarks());
    Level level = step.level();
    text("level.kind", level.kind().name());
    text("levelText", level.toString());
    if (level instanceof Level.Approximate near) {
      text("level.approximation", near.approximation());
      text("level.error", near.error());
      if (near.isGauge()) {
        number("level.factor", near.factor());
      }
    } else if (level instanceof Level.Observed observed) {
      text("level.reason", observed.reason());
      text("level.remedy", observed.remedy());
    }
  }

  /** What all findings have, with the step they are of. */
  private void report(Findings findings, SgdStep step) {
    count("examples", findings.examples());
    count("outputs", findings.outputs());
    sgd(step, !(findings instanceof ObservedReport));
    findings.criticalLearningRate().ifPresent(rate -> critical(rate, step.learningRate()));
    sentences("remarks", findings.remarks());
  }

  private void sgd(SgdStep step, boolean isLinear) {
    count("batchSize", step.batchSize());
    if (isLinear || step.learningRate() > 0) {
      number("learningRate", step.learningRate());
    }
    text("sampling", step.sampling().id());
    if (isLinear) {
      if (!(step.momentum() instanceof Momentum.None)) {
        text("momentum", step.momentum().toString());
      }
      if (step.l2() + step.weightDecay() + step.fastestL2() > 0) {
        number("l2", step.l2());
        number("weightDecay", step.weightDecay());
        number("fastestL2", step.fastestL2());
        flag("decaysInPart", step.decaysInPart());
      }
    }
  }

  private void stability(StabilityReport report, Verdict verdict) {
    report(report, report.step());
    exponent("exponent", report.exponent());
    exponent("gdExponent", report.gdExponent());
    number("sharpness", report.sharpness());
    number("sharpnessLimit", FullBatchExponent.criticalCurvature(report.step()));
    number("classicEdgeRatio", report.classicEdgeRatio());
    text("verdict", verdict.kind().name());
    text("evidence", verdict.evidence());
    count("stepsToDecide", verdict.stepsToDecide());
    report.advice().ifPresent(advice -> text("advice", advice));
    report.certificate().ifPresent(this::certificate);
    report.meanSquare().ifPresent(this::meanSquare);
    upper("meanSquareEdgeRatio", report.meanSquareEdgeRatio());
    count("criticalBatchSize", report.criticalBatchSize());
    report.diagnosis().ifPresent(this::diagnosis);
    report.sumOfExponents().ifPresent(sum -> estimate("sumOfExponents.", sum));
    if (report.exponent() instanceof LyapunovEstimate estimate) {
      text("stopReason", estimate.stopReason().name());
    }
  }

  private void exponent(String key, LyapunovExponent exponent) {
    number(key + ".value", exponent.point());
    number(key + ".standardError", exponent.error());
    lower(key + ".low", exponent.low());
    upper(key + ".high", exponent.high());
    text(key + ".sign", exponent.sign().name());
    if (exponent instanceof LyapunovEstimate estimate) {
      text(key + ".branch", estimate.branch().name());
      count(key + ".steps", estimate.steps());
      count(key + ".realisations", estimate.realisations());
      number(key + ".variancePerStep", estimate.variancePerStep());
    } else if (exponent instanceof ExponentBound bound) {
      text(key + ".reason", bound.reason());
    }
  }

  private void certificate(Certificate certificate) {
    text("certificate", certificate.kind().name());
    text("certificateSign", certificate.sign().name());
    flag("certificateMeanSquareStable", certificate.meanSquareStable());
    number("certificateValue", certificate.value());
    number("certificateThreshold", certificate.threshold());
  }

  private void meanSquare(MeanSquareReport report) {
    number("meanSquare.index", report.index().value());
    lower("meanSquare.indexLow", report.index().low());
    upper("meanSquare.indexHigh", report.index().high());
    number("meanSquare.exponent", report.exponent());
    number("meanSquare.criticalLearningRate", report.criticalLearningRate().value());
    lower("meanSquare.criticalLearningRateLow", report.criticalLearningRate().low());
    upper("meanSquare.criticalLearningRateHigh", report.criticalLearningRate().high());
    count("meanSquare.criticalBatchSize", report.criticalBatchSize());
  }

  private void critical(CriticalLearningRate rate, double learningRate) {
    number("criticalLearningRate.value", rate.value());
    lower("criticalLearningRate.low", rate.low());
    upper("criticalLearningRate.high", rate.high());
    flag("criticalLearningRate.exact", rate.isExact());
    number("edgeRatio", rate.edgeRatio(learningRate));
    lower("edgeRatioLow", rate.edgeRatioLow(learningRate));
    upper("edgeRatioHigh", rate.edgeRatioHigh(learningRate));
  }

  private void diagnosis(GramDiagnosis diagnosis) {
    count("rank", diagnosis.rank());
    number("conditionNumber", diagnosis.conditionNumber());
    sentences("diagnosis.findings", diagnosis.findings());
    count("diagnosis.size", diagnosis.size());
    number("diagnosis.largest", diagnosis.largest());
    number("diagnosis.smallestNonzero", diagnosis.smallestNonzero());
    number("diagnosis.lowest", diagnosis.lowest());
    number("diagnosis.asymmetry", diagnosis.asymmetry());
    flag("diagnosis.positiveSemidefinite", diagnosis.isPositiveSemidefinite());
    count("diagnosis.components", diagnosis.components());
    number("diagnosis.weakestLink", diagnosis.weakestLink());
    count("diagnosis.duplicates", diagnosis.duplicates().size());
    number("diagnosis.singularityMargin", diagnosis.singularityMargin());
    number("diagnosis.reflectionMargin", diagnosis.reflectionMargin());
  }

  private void forecast(EdgeForecast forecast) {
    number("edgeForecast.iteration", forecast.iteration());
    lower("edgeForecast.low", forecast.low());
    upper("edgeForecast.high", forecast.high());
    text("edgeForecast.text", forecast.toString());
  }

  private void batchSharpness(BatchSharpness sharpness) {
    number("batchSharpness.meanOfRatios", sharpness.meanOfRatios().value());
    number("batchSharpness.meanOfRatiosError", sharpness.meanOfRatios().standardError());
    number("batchSharpness.ratioOfMeans", sharpness.ratioOfMeans().value());
    number("batchSharpness.ratioOfMeansError", sharpness.ratioOfMeans().standardError());
    count("batchSharpness.batches", sharpness.batches());
  }

  private void trajectory(TrajectoryExponent.Window window) {
    count("trajectory.index", window.index());
    count("trajectory.steps", window.steps());
    count("trajectory.drawn", window.drawn());
    number("trajectory.exponent", window.exponent());
    count("trajectory.cumulativeSteps", window.cumulativeSteps());
    number("trajectory.cumulativeExponent", window.cumulativeExponent());
    text("trajectory.curvature", window.curvature().name());
    if (window.curvature() == TrajectoryExponent.Curvature.HESSIAN) {
      number("trajectory.curvatureError", window.curvatureError());
    }
  }

  private void finiteTime(FiniteTimeExponents exponents) {
    text("finiteTime.start", exponents.start().name());
    count("finiteTime.horizon", exponents.horizon());
    count("finiteTime.realisations", exponents.trajectories());
    withError("finiteTime.mean", exponents.mean());
    withError("finiteTime.variance", exponents.variance());
    withError("finiteTime.variancePerStep", exponents.varianceRate());
    withError("finiteTime.skewness", exponents.skewness());
    FiniteTimeExponents.Proportion negative = exponents.probabilityNegative();
    number("finiteTime.probabilityNegative", negative.value());
    lower("finiteTime.low", negative.low());
    upper("finiteTime.high", negative.high());
  }

  private void smallerProbes(Checkpoint checkpoint) {
    if (checkpoint.smallerProbes().isEmpty()) {
      return;
    }
    number("probeChange", checkpoint.probeChange());
    number("probeExponentChange", checkpoint.probeExponentChange());
    number("probeCriticalLearningRateChange", checkpoint.probeCriticalLearningRateChange());
    parts("probeSizes", checkpoint.smallerProbes(), CheckpointDocument::of);
  }

  private void spectrum(LyapunovSpectrum spectrum) {
    List<Estimate> exponents = spectrum.exponents();
    put("spectrum.values", new Value.Numbers(exponents.stream().map(Estimate::value).toList()));
    put(
        "spectrum.standardErrors",
        new Value.Numbers(exponents.stream().map(Estimate::standardError).toList()));
    count("spectrum.dimension", spectrum.dimension());
    count("spectrum.kernelDimension", spectrum.kernelDimension());
    number("spectrum.sum", spectrum.sum().value());
    number("spectrum.sumError", spectrum.sum().standardError());
    count("spectrum.steps", spectrum.steps());
    if (!spectrum.isComplete()) {
      text(
          "spectrum.incomplete",
          "the spectrum is incomplete: the largest "
              + exponents.size()
              + " of "
              + spectrum.dimension()
              + " exponents");
    }
  }

  private static CheckpointDocument moment(MomentExponent moment) {
    DocumentWriter part = new DocumentWriter(Fields.MOMENT);
    part.number("order", moment.order());
    part.estimate("", moment.exponent());
    return part.document();
  }

  private void withError(String key, Estimate estimate) {
    number(key, estimate.value());
    number(key + "Error", estimate.standardError());
  }

  private void estimate(String prefix, Estimate estimate) {
    number(prefix + "value", estimate.value());
    number(prefix + "standardError", estimate.standardError());
  }

  private <T> void parts(String key, List<T> values, Function<T, CheckpointDocument> document) {
    if (!values.isEmpty()) {
      put(key, new Value.Parts(values.stream().map(document).toList()));
    }
  }

  private void sentences(String key, List<String> values) {
    if (!values.isEmpty()) {
      put(key, new Value.Sentences(values));
    }
  }

  private void text(String key, String value) {
    put(key, new Value.Text(value));
  }

  private void flag(String key, boolean value) {
    put(key, new Value.Flag(value));
  }

  private void count(String key, long value) {
    put(key, new Value.Count(value));
  }

  private void count(String key, OptionalInt value) {
    value.ifPresent(number -> count(key, number));
  }

  private void count(String key, OptionalLong value) {
    value.ifPresent(number -> count(key, number));
  }

  private void number(String key, double value) {
    put(key, new Value.Real(value));
  }

  private void number(String key, OptionalDouble value) {
    value.ifPresent(number -> number(key, number));
  }

  private void lower(String key, double value) {
    put(key, new Value.LowerBound(value));
  }

  private void upper(String key, double value) {
    put(key, new Value.UpperBound(value));
  }

  private void upper(String key, OptionalDouble value) {
    value.ifPresent(number -> upper(key, number));
  }

  private void put(String key, Value value) {
    entries.add(new Entry(fields.get(key), value));
  }
}
