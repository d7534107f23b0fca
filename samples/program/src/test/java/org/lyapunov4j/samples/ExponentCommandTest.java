// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.samples.io.NpyFile;

class ExponentCommandTest {
  /** The second eigenvalue is just above rounding, the third below it. */
  private static final double[][] HIDDEN = {{1, 0, 0}, {0, 1e-14, 0}, {0, 0, 1e-16}};

  @TempDir private Path folder;
  private Path diagonal;

  @BeforeEach
  void saveGram() throws IOException {
    diagonal = save("diagonal", new double[][] {{1, 0}, {0, 3}});
  }

  @Test
  void answersInJsonAndNothingElse() throws IOException {
    JsonNode json =
        json("--gram", diagonal.toString(), "--learning-rate", "0.5", "--batch-size", "1");

    // Independent coordinates: the largest of log|1 - 0.5 g| / 2, theory for a diagonal G.
    double exact = Math.log(0.5) / 2;
    JsonNode exponent = json.get("exponent");
    assertThat(exponent.get("value").doubleValue())
        .isCloseTo(exact, within(4 * exponent.get("standardError").doubleValue() + 1e-12));
    assertThat(exponent.get("low").doubleValue()).isLessThanOrEqualTo(exact);
    assertThat(exponent.get("high").doubleValue()).isGreaterThanOrEqualTo(exact);
    assertThat(exponent.get("sign").textValue()).isEqualTo("NEGATIVE");
    assertThat(exponent.get("steps").longValue()).isPositive();
    assertThat(json.get("examples").intValue()).isEqualTo(2);
    assertThat(json.get("outputs").intValue()).isEqualTo(1);
    assertThat(json.get("batchSize").intValue()).isEqualTo(1);
    assertThat(json.get("learningRate").doubleValue()).isEqualTo(0.5);
    assertThat(json.get("sampling").textValue()).isEqualTo("iid");
    assertThat(json.get("sharpness").doubleValue()).isCloseTo(1.5, within(1e-12));
    assertThat(json.get("gdExponent").get("value").doubleValue())
        .isCloseTo(Math.log(0.75), within(1e-12));
    assertThat(json.get("verdict").textValue()).isEqualTo("STABLE");
  }

  @Test
  void refusesWhatIsNoGramMatrix() throws IOException {
    Path indefinite = save("indefinite", new double[][] {{1, 2}, {2, 1}});
    for (String batch : List.of("1", "2")) {
      Outcome outcome =
          Outcome.of(
              "exponent",
              "--gram",
              indefinite.toString(),
              "--learning-rate",
              "0.1",
              "--batch-size",
              batch,
              "--tier",
              "economy");
      assertThat(outcome.status()).isEqualTo(2);
      assertThat(outcome.err()).contains("the eigenvalue -1.00000 or lower").hasLineCount(1);
    }
    Outcome map = Outcome.of("what-if", "--gram", indefinite.toString());
    assertThat(map.status()).isEqualTo(2);
    assertThat(map.err()).contains("the eigenvalue -1.00000 or lower").hasLineCount(1);
  }

  @Test
  void zeroCurvatureIsNotStable() throws IOException {
    Path zero = save("zero", new double[3][3]);
    JsonNode json = json("--gram", zero.toString(), "--learning-rate", "0.1", "--batch-size", "1");
    assertThat(json.get("verdict").textValue()).isEqualTo("INCONCLUSIVE");
    assertThat(json.get("evidence").textValue()).contains("no curvature on this probe");
  }

  /** Two equal examples: what the diagnosis finds is in the text too. */
  @Test
  void theTextSaysWhatNobodyMayMiss() throws IOException {
    Path equal = save("equal", new double[][] {{1, 1, 0}, {1, 1, 0}, {0, 0, 2}});
    Outcome outcome =
        Outcome.of(
            "exponent", "--gram=" + equal, "--learning-rate=0.1", "--batch-size=1", "--spectrum=1");
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.out())
        .contains("G has rank 2 of 3, so (H1) fails")
        .contains("1 pairs of examples have the same gradients")
        .contains("the spectrum is incomplete: the largest 1 of 2 exponents");
  }

  @Test
  void learningRateZeroIsTheIdentity() throws IOException {
    JsonNode json =
        json("--gram", diagonal.toString(), "--learning-rate", "0", "--batch-size", "1");
    assertThat(json.get("exponent").get("value").doubleValue()).isZero();
    assertThat(json.get("gdExponent").get("value").doubleValue()).isZero();
    assertThat(json.get("edgeRatio").doubleValue()).isZero();
    assertThat(json.get("verdict").textValue()).isEqualTo("INCONCLUSIVE");
    assertThat(json.get("evidence").textValue()).contains("learning rate is 0");
  }

  @Test
  void tellsHowFarTheEdgeIs() throws IOException {
    JsonNode json =
        json("--gram", diagonal.toString(), "--learning-rate", "0.5", "--batch-size", "1");

    // Diagonal G, B = 1: coordinates do not interact, the steepest one decides: |1 - 3 eta| = 1.
    assertThat(json.get("criticalLearningRate").get("value").doubleValue())
        .isCloseTo(2 / 3.0, within(0.01));
    assertThat(json.get("edgeRatio").doubleValue()).isCloseTo(0.75, within(0.02));
    assertThat(json.get("rank").intValue()).isEqualTo(2);
    assertThat(json.get("conditionNumber").doubleValue()).isCloseTo(3, within(1e-9));
    assertThat(json.get("meanSquare").get("criticalLearningRate").doubleValue())
        .isCloseTo(2 / 3.0, within(1e-6));
    assertThat(json.get("sumOfExponents").get("value").doubleValue())
        .isCloseTo(Math.log(0.5), within(1e-9));
    assertThat(json.has("certificate")).isTrue();
    assertThat(json.has("stopReason")).isTrue();
  }

  @Test
  void givesSpectrumAndMomentsWhenAsked() throws IOException {
    JsonNode json =
        json(
            "--gram",
            diagonal.toString(),
            "--learning-rate",
            "0.5",
            "--batch-size",
            "1",
            "--spectrum",
            "5",
            "--epochs",
            "4096",
            "--moments",
            "2,4");

    JsonNode spectrum = json.get("spectrum");
    assertThat(spectrum.get("dimension").intValue()).isEqualTo(2);
    assertThat(spectrum.get("kernelDimension").intValue()).isZero();
    // Each step halves one of the two coordinates, by lot: more than five errors of 8192 steps.
    assertThat(spectrum.get("values").get(0).doubleValue())
        .isCloseTo(0.5 * Math.log(0.5), within(0.02));
    assertThat(spectrum.get("sum").doubleValue()).isCloseTo(Math.log(0.5), within(1e-9));
    JsonNode second = json.get("moments").get(0);
    assertThat(second.get("value").doubleValue()).isCloseTo(Math.log((1 + 0.25) / 2), within(1e-9));
    assertThat(second.get("standardError").doubleValue()).isZero();
    assertThat(json.get("moments").get(1).get("value").doubleValue())
        .isCloseTo(Math.log((1 + 0.0625) / 2), within(0.03));
    assertThat(json.get("seconds").doubleValue()).isPositive();
  }

  @Test
  void takesMomentumAndDecayAndAHorizon() throws IOException {
    String[] common = {
      "--gram", diagonal.toString(), "--learning-rate", "0.01", "--batch-size", "2"
    };
    JsonNode heavy = json(with(common, "--heavy-ball", "0.5", "--horizon", "200"));
    assertThat(heavy.get("classicEdgeRatio").doubleValue()).isCloseTo(1.5 / 300, within(1e-9));
    JsonNode decayed = json(with(common, "--weight-decay", "3", "--l2", "2"));
    assertThat(decayed.get("exponent").get("value").doubleValue())
        .isCloseTo(Math.log(1 - 0.01 * (0.5 + 5)), within(1e-9));
    JsonNode finite = heavy.get("finiteTime");
    assertThat(finite.get("horizon").intValue()).isEqualTo(200);
    assertThat(finite.get("probabilityNegative").doubleValue()).isEqualTo(1);
    assertThat(Outcome.of(with(withCommand(common), "--nesterov", "1.5")).err())
        .contains("momentum must be in [0, 1), got 1.5");
    assertThat(
            Outcome.of(with(withCommand(common), "--nesterov", "0.5", "--heavy-ball", "0.5")).err())
        .contains("got both, 0.5 and 0.5");
  }

  @Test
  void tellsWhereAHorizonStartsAndItsErrors() throws IOException {
    String[] common = {
      "--gram",
      diagonal.toString(),
      "--learning-rate",
      "0.5",
      "--batch-size",
      "1",
      "--tier",
      "economy",
      "--realisations",
      "64",
      "--horizon",
      "7",
      "--spectrum",
      "1",
      "--burn-in",
      "4"
    };
    JsonNode finite = json(common).get("finiteTime");
    assertThat(finite.get("start").textValue()).isEqualTo("SLOW_MODE");
    assertThat(finite.get("meanError").doubleValue()).isPositive();
    assertThat(finite.get("varianceError").doubleValue()).isPositive();
    assertThat(finite.get("skewnessError").doubleValue()).isPositive();
    JsonNode isotropic = json(with(common, "--start", "isotropic")).get("finiteTime");
    assertThat(isotropic.get("start").textValue()).isEqualTo("ISOTROPIC");
    Path residual = folder.resolve("residual.csv");
    Files.writeString(residual, "1\n0\n");
    JsonNode given = json(with(common, "--residual", residual.toString())).get("finiteTime");
    assertThat(given.get("start").textValue()).isEqualTo("RESIDUAL");
    // The first coordinate alone: halved whenever its example is drawn.
    assertThat(given.get("mean").doubleValue())
        .isCloseTo(0.5 * Math.log(0.5), within(4 * given.get("meanError").doubleValue()));
    Files.writeString(residual, "1\n0\n2\n");
    assertThat(Outcome.of(with(withCommand(common), "--residual", residual.toString())).err())
        .contains("--residual must have m = 2 numbers, got 3");
    assertThat(Outcome.of(with(withCommand(common), "--epochs", "3")).err())
        .contains("--epochs must be at least 16, got 3");
    String text = Outcome.of(withCommand(common)).out();
    assertThat(text).contains("from slow mode").containsPattern("skewness [+-][0-9.]+ ± [0-9.]+");
  }

  private static String[] withCommand(String... arguments) {
    return with(new String[] {"exponent"}, arguments);
  }

  private static String[] with(String[] first, String... second) {
    return Stream.concat(Arrays.stream(first), Arrays.stream(second)).toArray(String[]::new);
  }

  @Test
  void economyLeavesOutWhatItDidNotCompute() throws IOException {
    JsonNode json =
        json(
            "--gram",
            diagonal.toString(),
            "--learning-rate",
            "0.5",
            "--batch-size",
            "1",
            "--tier",
            "economy");

    assertThat(json.has("criticalLearningRate")).isFalse();
    assertThat(json.has("edgeRatio")).isFalse();
    assertThat(json.get("verdict").textValue()).isEqualTo("STABLE");
  }

  @Test
  void sameSeedSameAnswer() {
    String[] args = {
      "exponent",
      "--gram",
      diagonal.toString(),
      "--learning-rate",
      "0.9",
      "--batch-size",
      "1",
      "--format",
      "json",
      "--seed",
      "17",
      "--max-epochs",
      "64"
    };

    assertThat(withoutSeconds(Outcome.of(args).out()))
        .isEqualTo(withoutSeconds(Outcome.of(args).out()))
        .contains("UNSTABLE");
  }

  private static String withoutSeconds(String json) {
    return json.replaceAll("\"seconds\" : [^,}\\n]*", "");
  }

  @Test
  void takesSeveralOutputsAndOtherSchemes() throws IOException {
    JsonNode json =
        json(
            "--gram",
            diagonal.toString(),
            "--learning-rate",
            "0.9",
            "--batch-size",
            "1",
            "--outputs",
            "2",
            "--sampling",
            "epoch");

    assertThat(json.get("examples").intValue()).isEqualTo(1);
    assertThat(json.get("outputs").intValue()).isEqualTo(2);
    assertThat(json.get("sampling").textValue()).isEqualTo("epoch");
    assertThat(json.get("exponent").get("value").doubleValue())
        .isCloseTo(Math.log(1.7), within(1e-9));
  }

  @Test
  void writesAnInfiniteExponentAsAString() throws IOException {
    Path one = save("one", new double[][] {{2}});

    JsonNode json = json("--gram", one.toString(), "--learning-rate", "0.5", "--batch-size", "1");

    assertThat(json.get("gdExponent").get("value").textValue()).isEqualTo("-Infinity");
    assertThat(json.get("exponent").get("value").textValue()).isEqualTo("-Infinity");
  }

  @Test
  void answersInWords() {
    Outcome outcome =
        Outcome.of(
            "exponent",
            "--gram",
            diagonal.toString(),
            "--learning-rate",
            "0.5",
            "--batch-size",
            "2");

    assertThat(outcome.status()).isZero();
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.out())
        .contains(
            "2 examples × 1 outputs", "batch size 2", "λ", "μ", "sharpness          1.5", "STABLE")
        .contains("η·sharpness/2      0.3750", "η/η_c              0.375")
        .doesNotContain("±");
  }

  /** Where the slowest direction may be lost in rounding, λ is between two numbers. */
  @Test
  void aBoundIsNoValue() throws IOException {
    Path file = save("hidden", HIDDEN);
    String[] args = {"--gram", file.toString(), "--learning-rate", "0.1", "--batch-size", "1"};
    JsonNode exponent = json(args).get("exponent");
    assertThat(exponent.has("value")).isFalse();
    assertThat(exponent.has("standardError")).isFalse();
    assertThat(exponent.get("low").doubleValue()).isNegative();
    assertThat(exponent.get("high").doubleValue()).isZero();
    assertThat(exponent.get("sign").textValue()).isEqualTo("NEGATIVE");
    assertThat(Outcome.of(withCommand(args)).lines())
        .anyMatch(line -> line.matches("λ +between -\\S+ and 0 nats/step: slower directions .*"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "absent    |             | the file must exist",
        "wide      |             | a Gram matrix must be square, got 1 × 2",
        "skew      |             | a Gram matrix must be symmetric, got entries (1, 0) and (0, 1)",
        "nan       |             | a Gram matrix must be finite, got NaN at (1, 1)",
        "negative  |             | a Gram matrix must have a nonnegative diagonal, got -1",
        "diagonal  | --batch-size=3          | --batch-size must be at most the number of examples"
            + " 2, got 3",
        "diagonal  | --batch-size=0          | --batch-size must be at least 1, got 0",
        "diagonal  | --learning-rate=-1      | --learning-rate must be finite and at least 0, got"
            + " -1.0",
        "diagonal  | --learning-rate=NaN     | --learning-rate must be finite and at least 0, got"
            + " NaN",
        "diagonal  | --learning-rate=x       | 'x' is not a double",
        "diagonal  | --outputs=3             | --outputs must divide the 2 rows of the Gram matrix,"
            + " got 3",
        "diagonal  | --outputs=0             | --outputs must be at least 1, got 0",
        "diagonal  | --max-epochs=0          | --max-epochs must be at least 1, got 0",
        "diagonal  | --sampling=all          | sampling must be one of iid, iid-replacement, epoch,"
            + " ordered; got all",
        "diagonal  | --format=xml            | expected one of [TEXT, JSON] (case-insensitive) but"
            + " was 'xml'",
        "diagonal  | --nonsense              | Unknown option: '--nonsense'",
      })
  void refusesBadInputInOneLine(String name, String option, String complaint) throws IOException {
    save("wide", new double[][] {{1, 2}});
    save("skew", new double[][] {{1, 0.5}, {0.25, 1}});
    save("nan", new double[][] {{1, 0}, {0, Double.NaN}});
    save("negative", new double[][] {{-1, 0}, {0, 1}});
    List<String> args =
        new ArrayList<>(List.of("exponent", "--gram", folder.resolve(name + ".npy").toString()));
    if (option == null || !option.startsWith("--learning-rate")) {
      args.add("--learning-rate=0.1");
    }
    if (option == null || !option.startsWith("--batch-size")) {
      args.add("--batch-size=1");
    }
    if (option != null) {
      args.add(option);
    }

    Outcome outcome = Outcome.of(args.toArray(String[]::new));

    assertThat(outcome.status()).isEqualTo(2);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.err().lines()).hasSize(1);
    assertThat(outcome.err()).startsWith("lyapunov4j exponent: ").contains(complaint);
  }

  @Test
  void namesTheOptionThatIsMissing() {
    Outcome outcome = Outcome.of("exponent", "--gram", diagonal.toString(), "--batch-size", "1");

    assertThat(outcome.status()).isEqualTo(2);
    assertThat(outcome.err().lines()).hasSize(1);
    assertThat(outcome.err()).contains("--learning-rate=ETA");
  }

  private Path save(String name, double[][] rows) throws IOException {
    Path file = folder.resolve(name + ".npy");
    Files.deleteIfExists(file);
    NpyFile.write(file, rows);
    return file;
  }

  private static JsonNode json(String... options) throws IOException {
    List<String> args = new ArrayList<>(List.of("exponent", "--format", "json"));
    args.addAll(List.of(options));

    Outcome outcome = Outcome.of(args.toArray(String[]::new));

    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.status()).isZero();
    return new ObjectMapper().readTree(outcome.out());
  }
}
