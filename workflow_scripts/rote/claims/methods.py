"""Every statistical step from the values of the seeds to a verdict, in words for the pages."""

from rote.claims.intervals import POWER, ROUNDING
from rote.claims.quantiles import POINTS, SHAPE, SIMULATED, SKEWNESS

# As `of_mean` computes them, which takes a second: a test compares.
QUANTILES = "4.67 for 4 seeds, 3.95 for 5, 3.56 for 6, 3.15 for 8, 2.93 for 10"

# Where each term is explained, in the order of the steps.
METHODS = {
    "Values": "The definition of a part says which number yᵢ each seed i = 1 … n has; a seed is a "
    "replicate of the whole experiment. Seeds without the number, since models of theirs diverged "
    "or put most inputs into one class, are left out, and the part says how many. With fewer than "
    "minimum_seeds it is inconclusive, and no number is told (–).",
    "Interval": "The estimate is ȳ = Σ yᵢ / n, its standard error e = s / √n with "
    "s² = Σ (yᵢ − ȳ)² / (n − 1). The interval is ȳ ± q(c) · e, where c is confidence. q(c) solves "
    "P(t < −q) = (1 − c)/2 for t = (ȳ − μ) / e of independent yᵢ that have a gamma distribution "
    f"with the mean μ, a skewness of {SKEWNESS:g}, and so the shape a = {SHAPE:g}: its long tail "
    "lies to the side of the end that falls short. For normal values, and others that are less "
    "skewed, it is wider than it need be; Student's, exact for normal values, is wrong too often "
    "for others. Of gamma values ȳ is independent of v = s / ȳ, so that P(t < −q) is the mean over "
    "v of G(n·a / (1 + q·v/√n)), where G is the distribution function of a gamma variable of the "
    f"shape n·a and the scale 1: here over {POINTS:,} v, of points of a scrambled Sobol sequence. "
    f"q(0.95) is {QUANTILES}. Bootstrapping a few seeds would be too narrow: of three, a "
    "95 % interval holds the truth in three of four studies.",
    "Best of many": "Where a definition takes the best of m choices (strengths in fig5_1, pairs in "
    "fig5_2, searches in fig4_2), each seed takes the choice that is best over the other seeds. "
    "These are nearly the same for all, which makes the yᵢ alike, and that interval too narrow. "
    f"q(c) is then from quantiles of (ȳ − μ) / e over {SIMULATED:,} simulated studies: independent "
    "values of the same gamma distribution for every choice and seed, of which each seed takes the "
    "choice with the highest mean over the other seeds. The (1 − c)/2 and the (1 + c)/2 quantile "
    "are taken, of these values, of the same mirrored and of normal ones, and the one of the six "
    "that is farthest from 0. For a difference between the best of m₁ "
    "and of m₂, both are simulated and subtracted. q(c) is at least that of a mean, above: of a "
    "difference one side may spread much wider than the other. The loss at a choice has the "
    "quantile of the fall. A limit on the loss is not simulated: which strengths keep within it is "
    "as uncertain as their losses are, and the definition says how far out that moves the ends.",
    "Several values": "Of several learning rates, norms or radii the first is taken, where a "
    "definition does not say otherwise.",
    "Gini coefficient": "Of values x₁ ≤ … ≤ xₙ it is Σ (2i − n − 1) xᵢ / (n Σ xᵢ), not corrected "
    "by n/(n − 1).",
    "What it is about": "Each replicate draws its m training examples, and those for validation, "
    "from the M images of the training part of the data set, whichever others draw: two of them "
    "share m/M of their m training examples on average. Given the M images, replicates are "
    "independent, and the interval is right for what these images give. It speaks about "
    "images at large only where M is large beside m: what is peculiar to the M images is in every "
    "yᵢ, and nothing in s tells of it. If yᵢ were a mean over its training examples, two "
    "replicates would correlate by ρ = m/M, and an interval about images at large would be wider "
    "by the factor √(1 + n·ρ/(1 − ρ)). With a single draw of the examples it speaks about these "
    "examples alone. What holds for each figure is told below.",
    "Bounds": "Some values are limits: a training that had not converged at its last epoch, a "
    "width at an end of those that were tried. If the truth can only lie further up (at least), "
    "the upper end of the interval becomes ∞; if further down (at most), the lower end becomes −∞; "
    "if either, both. The other end is computed with the limits in place of the values, as if "
    "these spread no wider. The definition of a part says which values are limits.",
    "Models that have not fitted": "Where a part is about models that have fitted their training "
    "data, and the mean training accuracy of one kind of them is below fitted, both ends become "
    "infinite: an unfinished training is no evidence for either side. Where only one end can "
    "move, the definition says so. The mean is over the seeds that have a value; without any, the "
    "models have not fitted.",
    "Equal values": "If all seeds have the same value, up to the rounding of single precision "
    f"(s ≤ {ROUNDING:.2g} · max(1, |ȳ|)), both ends become infinite. That happens where all lie at "
    "an end of the widths, where all times are the limit, where ratios are 0 of all inputs, where "
    "the peak is at the last epoch and nothing comes after it, or where no strength is worth "
    "taking: how far other seeds would lie is then unknown, and not 0.",
    "Supported": "The whole interval lies where the part holds, with every end of the criterion "
    "outside of it. If the true value lies on the criterion, that happens in at most (1 − c)/2 of "
    "studies. A claim is supported if all of its core parts are, those that the poster states or, "
    "of a claim of our own, those that are not marked; since all must be, the rate is no higher "
    "for the claim, and needs no correction "
    "(intersection-union test; Berger 1982).",
    "Contradicted": "The whole adjusted interval lies where the part does not hold. It is the same "
    "interval at the confidence 1 − (1 − c)/k, wrong in (1 − c)/2k of studies to either side "
    "(Bonferroni), where k is the number of ends that the criteria of the claim's core parts have: "
    "one for more than, or less than, two for between. A claim is contradicted if one of its core "
    "parts is. Where all parts hold, and values are no more skewed than that, it happens in "
    "at most (1 − c)/2 of studies. Parts that cannot be decided count in k, too. For the parts "
    "that are no core, marked paper or ours, k counts the ends of theirs in the same claim.",
    "Not tested": "A part of which the study lacks the figure, or what is compared in it, such as "
    "a noise, a noise level or a regulariser; and a claim all of whose core parts are.",
    "Inconclusive": "Everything else; the reason stands beside the verdict.",
    "Smallest effect found 4 times in 5": "How far beyond the criterion a true value lies of which "
    f"this study would support the part with probability {POWER:g}. For the difference d, e "
    "standing for the true standard error, (ȳ − criterion) / e, with the measured one, has a "
    "noncentral t distribution, if values are normal, with n − 1 degrees of freedom and "
    "noncentrality λ = d / e; λ is "
    f"solved from P(t > q(c)) = {POWER:g}, and d = λ · e is told. Of two ends of a criterion it is "
    "the distance from the nearer one. It is ∞ where no effect is found as often: where an end "
    "that would have to be bounded is not, or where two ends are less than 3d apart, so that the "
    "other end is missed, too. As e is "
    "estimated from the same few seeds, so is d. It is not told (–) where one of several "
    "strengths is chosen, and the ends hang on more than e.",
    "Dependent on": "The settings that were varied in further studies and of which, all else being "
    "equal, the part is supported with one value and contradicted with another. A claim depends on "
    "those on which the parts depend that make its verdict.",
}
