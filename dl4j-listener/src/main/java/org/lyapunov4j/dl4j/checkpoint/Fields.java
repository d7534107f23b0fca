// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.checkpoint;

import java.util.ArrayList;
import java.util.List;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Field;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Section;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument.Value;

/**
 * The table of all that a document can say. A new statement is a row here and a line in {@link
 * DocumentWriter}; keys and types are never changed, for records hold them.
 */
final class Fields {
  private static final String NATS = "nats";

  static final List<Field> MOMENT =
      List.of(
          field(Value.Real.class, Section.FINDINGS, "order", "p", "", "Order of the moment"),
          field(Value.Real.class, Section.FINDINGS, "value", "Λ(p)", NATS, "Moment exponent Λ(p)"),
          field(
              Value.Real.class,
              Section.FINDINGS,
              "standardError",
              "error",
              NATS,
              "Standard error of Λ(p), 0 if exact"));

  /** What was found of one Gram matrix. */
  static final List<Field> FINDINGS = findings();

  /** What a checkpoint says. */
  static final List<Field> ALL = all();

  /** Where the sentences are that no reader may miss. */
  static final List<String> CAUTIONS =
      List.of(
          "warmUp",
          "assumptions",
          "remarks",
          "diagnosis.findings",
          "exponent.reason",
          "gdExponent.reason",
          "spectrum.incomplete");

  private Fields() {}

  /** A reason as a sentence of its own. */
  static String caution(String key, String text) {
    return switch (key) {
      case "exponent.reason" -> "λ is only bounded: " + text;
      case "gdExponent.reason" -> "μ is only bounded: " + text;
      default -> text;
    };
  }

  private static Field field(
      Class<? extends Value> type,
      Section section,
      String key,
      String label,
      String unit,
      String help) {
    return new Field(key, type, section, label, unit, help, List.of());
  }

  /** Collects the rows of a section. */
  private static final class Rows {
    private final Section section;
    private final List<Field> rows = new ArrayList<>();

    Rows(Section section) {
      this.section = section;
    }

    Rows number(String key, String label, String unit, String help) {
      return add(Value.Real.class, key, label, unit, help);
    }

    Rows number(String key, String label, String help) {
      return number(key, label, "", help);
    }

    Rows low(String key, String label, String unit, String help) {
      return add(Value.LowerBound.class, key, label, unit, help);
    }

    Rows high(String key, String label, String unit, String help) {
      return add(Value.UpperBound.class, key, label, unit, help);
    }

    Rows count(String key, String label, String unit, String help) {
      return add(Value.Count.class, key, label, unit, help);
    }

    Rows flag(String key, String label, String help) {
      return add(Value.Flag.class, key, label, "", help);
    }

    Rows text(String key, String label, String help) {
      return add(Value.Text.class, key, label, "", help);
    }

    Rows sentences(String key, String label, String help) {
      return add(Value.Sentences.class, key, label, "", help);
    }

    Rows numbers(String key, String label, String unit, String help) {
      return add(Value.Numbers.class, key, label, unit, help);
    }

    Rows time(String key, String label, String help) {
      return add(Value.Time.class, key, label, "", help);
    }

    Rows parts(String key, String label, String help, List<Field> parts) {
      rows.add(new Field(key, Value.Parts.class, section, label, "", help, parts));
      return this;
    }

    private Rows add(
        Class<? extends Value> type, String key, String label, String unit, String help) {
      rows.add(field(type, section, key, label, unit, help));
      return this;
    }

    Rows exponent(String key, String symbol, String of) {
      return number(key + ".value", symbol, NATS, "Lyapunov exponent of " + of + ", per step")
          .number(
              key + ".standardError", symbol + ", error", NATS, "Its standard error, 0 if exact")
          .low(key + ".low", symbol + ", low", NATS, "Lower end of its 95 % interval, or its bound")
          .high(
              key + ".high",
              symbol + ", high",
              NATS,
              "Upper end of its 95 % interval, or its bound")
          .text(key + ".sign", symbol + ", sign", "POSITIVE, NEGATIVE or UNDECIDED")
          .text(
              key + ".branch", symbol + ", branch", "The direction an estimate was measured along")
          .count(key + ".steps", symbol + ", steps", "steps", "Steps an estimate was measured over")
          .count(
              key + ".realisations",
              symbol + ", realisations",
              "",
              "Independent runs of an estimate")
          .number(
              key + ".variancePerStep",
              symbol + ", variance per step",
              "Variance of the log growth of an estimate, per step")
          .text(key + ".reason", symbol + ", reason", "Why no more is known than bounds");
    }

    List<Field> list() {
      return List.copyOf(rows);
    }
  }

  private static List<Field> findings() {
    Rows rows = new Rows(Section.FINDINGS);
    step(rows);
    rows.exponent("exponent", "λ", "SGD")
        .exponent("gdExponent", "μ", "full-batch gradient descent");
    edge(rows);
    matrix(rows);
    return rows.list();
  }

  private static void step(Rows rows) {
    rows.count("examples", "N", "examples", "Examples of the probe")
        .count("outputs", "K", "outputs", "Outputs an example; 0 if the model ends in no loss")
        .count("batchSize", "B", "examples", "Mini-batch size of the step that was analysed")
        .number("learningRate", "η", "Learning rate of the step that was analysed")
        .text("sampling", "sampling", "How mini-batches are drawn")
        .text("momentum", "momentum", "Momentum of the step, if it has any")
        .number("l2", "l2", "Coefficient of the penalty inside the gradient, if there is one")
        .number("fastestL2", "largest l2", "The largest l2 of a parameter, where it is uneven")
        .number("weightDecay", "weight decay", "Coefficient of weight decay, if there is any")
        .flag("decaysInPart", "decays in part", "Whether some parameters do not decay");
  }

  private static void edge(Rows rows) {
    rows.number("sharpness", "sharpness", "Largest eigenvalue of the Gauss-Newton matrix, κ_max/N")
        .number("sharpnessLimit", "sharpness limit", "What full-batch descent tolerates")
        .number(
            "classicEdgeRatio",
            "sharpness/limit",
            "Sharpness over what full-batch descent tolerates")
        .text("verdict", "verdict", "What is to be concluded")
        .text("evidence", "evidence", "What decided the verdict")
        .count("stepsToDecide", "steps to decide", "steps", "What an undecided λ would take")
        .text("advice", "advice", "What would make an unstable step stable")
        .text(
            "certificate",
            "certificate",
            "The bound that decides the sign of λ: rigorous, but MEAN_SQUARE_INDEX rests on an"
                + " estimate beyond 128 rows, and for some smaller matrices of several outputs")
        .text(
            "certificateSign", "sign by certificate", "The sign of λ that the certificate decides")
        .flag(
            "certificateMeanSquareStable",
            "mean square by certificate",
            "Whether it decides that too")
        .number("certificateValue", "certificate's value", "What the certificate compares")
        .number("certificateThreshold", "certificate's threshold", "With what it compares")
        .number("meanSquare.index", "mean-square index", "Best estimate of the mean-square index")
        .low("meanSquare.indexLow", "mean-square index, low", "", "Lower bound of the index")
        .high(
            "meanSquare.indexHigh",
            "mean-square index, high",
            "",
            "Upper bound of the index: below 1 the mean square of perturbations decays")
        .number("meanSquare.exponent", "Λ(2)", NATS, "Growth of the mean square, per step")
        .number("meanSquare.criticalLearningRate", "η_ms", "Where the mean-square index is 1")
        .low("meanSquare.criticalLearningRateLow", "η_ms, low", "", "Lower bound of η_ms")
        .high("meanSquare.criticalLearningRateHigh", "η_ms, high", "", "Upper bound of η_ms")
        .count(
            "meanSquare.criticalBatchSize",
            "critical batch size, mean square",
            "examples",
            "The smallest batch size that is stable in mean square")
        .number("criticalLearningRate.value", "η_c", "Critical learning rate, where λ changes sign")
        .low("criticalLearningRate.low", "η_c, low", "", "Lower end of its interval")
        .high("criticalLearningRate.high", "η_c, high", "", "Upper end of its interval")
        .flag("criticalLearningRate.exact", "η_c exact", "Whether η_c has a closed form")
        .number("edgeRatio", "η/η_c", "Learning rate over the critical one; 1 is the edge of SGD")
        .low("edgeRatioLow", "η/η_c, low", "", "Lower end of its interval, from that of η_c")
        .high("edgeRatioHigh", "η/η_c, high", "", "Upper end of its interval, from that of η_c")
        .high(
            "meanSquareEdgeRatio",
            "η/η_ms",
            "",
            "Upper bound of the edge ratio without sampling noise; beyond 128 rows, and for some"
                + " smaller matrices of several outputs, it rests on an estimate with a safety"
                + " factor")
        .count("criticalBatchSize", "critical batch size", "examples", "The smallest stable one");
  }

  private static void matrix(Rows rows) {
    rows.count("rank", "rank", "", "Numerical rank of the Gram matrix")
        .number("conditionNumber", "condition number", "Condition number of G on its range")
        .sentences("diagnosis.findings", "Gram matrix", "What is remarkable about the Gram matrix")
        .count("diagnosis.size", "m", "rows", "Rows of the Gram matrix")
        .number("diagnosis.largest", "κ_max", "Largest eigenvalue of G")
        .number("diagnosis.smallestNonzero", "κ_min", "Smallest eigenvalue of G above rounding")
        .number("diagnosis.lowest", "lowest eigenvalue", "Negative only by rounding")
        .number("diagnosis.asymmetry", "asymmetry", "Asymmetry of G as it was given")
        .flag("diagnosis.positiveSemidefinite", "positive", "Whether G is positive semidefinite")
        .count(
            "diagnosis.components", "components", "groups", "Groups of rows that do not interact")
        .number("diagnosis.weakestLink", "weakest link", "How far G is from falling apart, 0 … 1")
        .count("diagnosis.duplicates", "duplicates", "pairs", "Examples with the same gradients")
        .number(
            "diagnosis.singularityMargin", "singularity margin", "0 if a step is not invertible")
        .number("diagnosis.reflectionMargin", "reflection margin", "0 if a step is a reflection")
        .number("sumOfExponents.value", "sum of exponents", NATS, "E log|det| of a step")
        .number("sumOfExponents.standardError", "its error", NATS, "Standard error of the sum")
        .text("stopReason", "sampling ended by", "Why the sampling of λ ended")
        .number("factor", "factor", "What the edge ratio of a gauge is right within")
        .number("kernel", "κ_max/N of the plain kernel", "For losses without curvature")
        .number("floorRatio", "loss over its floor", "Of a piecewise linear loss; 1 is the floor")
        .sentences("remarks", "remarks", "What the reader must know of how this was computed");
  }

  private static List<Field> all() {
    Rows rows = new Rows(Section.CHECKPOINT);
    rows.text("run", "run", "The name of the run")
        .count("iteration", "iteration", "iterations", "Training iteration of the parameters")
        .count("epoch", "epoch", "epochs", "The model's epoch counter")
        .time("time", "time", "When the parameters were current")
        .text("tier", "tier", "How much was computed: ECONOMY, STANDARD or FULL")
        .number("loss", "loss", "Mini-batch score, before the step")
        .number("probeLoss", "probe loss", "Mean loss of the probe, without regularisation")
        .text("step", "step", "The training step in one sentence, its level first")
        .text("updater", "updater", "The class of the updater")
        .text("warmUp", "warm-up", "Why this step says nothing of the later ones")
        .sentences("stepRemarks", "about the step", "How the step was read, and what that took")
        .count("gramMillis", "Gram matrix", "milliseconds", "Time that the Gram matrix took")
        .count("analysisMillis", "analysis", "milliseconds", "Time that its analysis took")
        .count("gramBytes", "memory", "bytes", "Memory of the entries of the Gram matrix")
        .count("gramRows", "m", "rows", "Rows m = N·K of the Gram matrix")
        .text("level.kind", "level", "EXACT, APPROXIMATE or OBSERVED")
        .text("level.approximation", "approximation", "What was put in place of what")
        .text("level.error", "error of the approximation", "Its bound, or what was measured")
        .number("level.factor", "factor", "What the edge ratio is right within, where it is alone")
        .text("level.reason", "no λ", "Why there is no λ")
        .text("level.remedy", "for more", "What would make it more")
        .text("levelText", "level in words", "The level with all that belongs to it")
        .text("classicGauge", "classic gauge", "What sharpness/limit is for this step")
        .sentences(
            "assumptions", "assumed", "What was assumed of the model, and what was replaced");
    rows.rows.addAll(FINDINGS);
    forecast(rows);
    probes(rows);
    return rows.list();
  }

  private static void forecast(Rows rows) {
    rows.number(
            "edgeForecast.iteration", "edge at", "iterations", "When η/η_c reaches 1 at its trend")
        .low("edgeForecast.low", "edge at, low", "iterations", "Lower end of its interval")
        .high("edgeForecast.high", "edge at, high", "iterations", "Upper end of its interval")
        .text("edgeForecast.text", "forecast", "The forecast in words")
        .number("batchSharpness.meanOfRatios", "batch sharpness", "E[g'Hg/g'g]; 2/η is the edge")
        .number("batchSharpness.meanOfRatiosError", "its error", "Standard error")
        .number("batchSharpness.ratioOfMeans", "ratio of means", "E[g'Hg]/E[g'g]; 2/η is the edge")
        .number("batchSharpness.ratioOfMeansError", "its error", "Standard error")
        .count("batchSharpness.batches", "batches", "", "Mini-batches that were drawn")
        .count("trajectory.index", "windows", "", "Windows of the trajectory before this one")
        .count("trajectory.steps", "steps", "steps", "Steps since the checkpoint before")
        .count("trajectory.drawn", "drawn", "steps", "Steps that took training's own mini-batch")
        .number(
            "trajectory.exponent",
            "along the trajectory",
            NATS,
            "Growth since the checkpoint before")
        .count(
            "trajectory.cumulativeSteps", "steps, all", "steps", "Steps since the first checkpoint")
        .number(
            "trajectory.cumulativeExponent", "all of it", NATS, "Growth since the first checkpoint")
        .text("trajectory.curvature", "curvature", "GAUSS_NEWTON or HESSIAN")
        .number("trajectory.curvatureError", "its error", "Relative error of products with it")
        .text("finiteTime.start", "start", "Where the realisations started")
        .count("finiteTime.horizon", "horizon", "steps", "Steps of the finite-time exponents")
        .count(
            "finiteTime.realisations", "realisations", "", "Independent draws of the mini-batches")
        .number("finiteTime.mean", "mean growth", NATS, "Mean growth per step over the horizon")
        .number("finiteTime.meanError", "its error", NATS, "Standard error")
        .number("finiteTime.variance", "variance", "Variance of the exponents at this horizon")
        .number("finiteTime.varianceError", "its error", "Standard error")
        .number("finiteTime.variancePerStep", "variance per step", "σ² of the log growth")
        .number("finiteTime.variancePerStepError", "its error", "Standard error")
        .number("finiteTime.skewness", "skewness", "Skewness of the growth")
        .number("finiteTime.skewnessError", "its error", "Standard error")
        .number("finiteTime.probabilityNegative", "P(shrinks)", "Share of realisations that shrank")
        .low("finiteTime.low", "P(shrinks), low", "", "Lower end of its 95 % interval")
        .high("finiteTime.high", "P(shrinks), high", "", "Upper end of its 95 % interval");
  }

  private static void probes(Rows rows) {
    rows.number(
            "probeChange", "change of sharpness", "Relative, from half of the probe to all of it")
        .number("probeExponentChange", "change of λ", NATS, "From half of the probe to all of it")
        .number("probeCriticalLearningRateChange", "change of η_c", "Relative, from half to all")
        .parts("probeSizes", "smaller probes", "A quarter and half of the probe", FINDINGS)
        .number("seconds", "time", "seconds", "Time that the analysis took")
        .numbers("spectrum.values", "spectrum", NATS, "The largest Lyapunov exponents, descending")
        .numbers("spectrum.standardErrors", "its errors", NATS, "Their standard errors")
        .count("spectrum.dimension", "dimension", "", "How many exponents there are")
        .count("spectrum.kernelDimension", "kernel", "", "How many directions G does not see")
        .number("spectrum.sum", "sum", NATS, "Sum of all exponents")
        .number("spectrum.sumError", "its error", NATS, "Standard error of the sum")
        .count("spectrum.steps", "steps", "steps", "Steps the spectrum was measured over")
        .text("spectrum.incomplete", "spectrum incomplete", "How many exponents were not computed")
        .parts("moments", "moments", "Moment exponents Λ(p)", MOMENT);
  }
}
