# The Gaussian-mixture study: from truth to divergences, a segment of conditions a job.
#
# Memory: a block of rounds is held to 32 MiB (ggmi.mixtures.worlds.BLOCK_BYTES) and a job keeps
# truth, three fits and their temporaries, about 10 blocks beside the interpreter's 100 MB.
# Time: the slowest estimator takes about 20 ms a condition and round here, ten seconds a default
# segment. A submission of three segments holds some thirty such jobs and asks for the time of all:
# five hours, of which 10,000 rounds of five conditions, 17 minutes an estimator, take the most.


localrules:
    gaps,
    kl_gap,
    trends,
    accuracy,


use rule step as labelled_points with:
    input:
        lambda w: [s for s in [study_of(w).table.source] if s != "digits"],
    output:
        f"{RESULTS}/{{study}}/points.npz",
    log:
        f"{RESULTS}/logs/labelled_points/{{study}}.log",
    params:
        **script_params("labelled_points"),
        table=setting("table"),
        dimensions=setting("dimensions"),


use rule step as worlds with:
    input:
        lambda w: ([f"{RESULTS}/{w.study}/points.npz"] if study_of(w).truth == "data" else []),
    output:
        f"{RESULTS}/{{study}}/{{covariance}}/{{segment}}/worlds.npz",
    log:
        f"{RESULTS}/logs/worlds/{{study}}-{{covariance}}-{{segment}}.log",
    params:
        **script_params("worlds"),
        seed=CONFIG.seed,
        rounds=setting("rounds"),
        dimensions=setting("dimensions"),
        anchors_per_component=setting("anchors_per_component"),


use rule step as synthetic_set with:
    input:
        f"{RESULTS}/{{study}}/{{covariance}}/{{segment}}/worlds.npz",
    output:
        f"{RESULTS}/{{study}}/{{covariance}}/{{segment}}/synthetic.npz",
    log:
        f"{RESULTS}/logs/synthetic_set/{{study}}-{{covariance}}-{{segment}}.log",
    params:
        **script_params("synthetic_set"),
        seed=CONFIG.seed,
        synthetic_size=setting("synthetic_size"),


use rule step as fitted_mixture with:
    input:
        lambda w: "{RESULTS}/{w.study}/{w.covariance}/{w.segment}/{file}.npz".format(
            RESULTS=RESULTS, w=w, file="synthetic" if w.source == "synthetic" else "worlds"
        ),
    output:
        f"{RESULTS}/{{study}}/{{covariance}}/{{segment}}/fit_{{source}}.npz",
    log:
        f"{RESULTS}/logs/fitted_mixture/{{study}}-{{covariance}}-{{segment}}-{{source}}.log",
    params:
        **script_params("fitted_mixture"),
        seed=CONFIG.seed,
        em=setting("em"),


use rule step as divergences with:
    input:
        worlds=f"{RESULTS}/{{study}}/{{covariance}}/{{segment}}/worlds.npz",
        fits=lambda w: [
            f"{RESULTS}/{w.study}/{w.covariance}/{w.segment}/fit_{source}.npz" for source in fits_of(w.study)
        ],
    output:
        f"{RESULTS}/{{study}}/{{covariance}}/{{segment}}/divergences_{{estimator}}.npz",
    log:
        f"{RESULTS}/logs/divergences/{{study}}-{{covariance}}-{{segment}}-{{estimator}}.log",
    params:
        **script_params("divergences"),
        seed=CONFIG.seed,
        settings=setting("{estimator}"),
        fits=lambda w: fits_of(w.study),


use rule step as gaps with:
    input:
        lambda w: artifacts(w.study, [f"divergences_{estimator}.npz" for estimator in study_of(w).estimators]),
    output:
        f"{RESULTS}/{{study}}/gaps.npz",
    log:
        f"{RESULTS}/logs/gaps/{{study}}.log",
    params:
        **script_params("gaps"),
        conditions=conditions_of,
        anchor_components=setting("anchor_components"),
        estimators=setting("estimators"),
        covariances=setting("covariances"),


use rule step as kl_gap with:
    input:
        f"{RESULTS}/{{study}}/gaps.npz",
    output:
        table=report_file(f"{RESULTS}/{{study}}/kl_gap.csv", "kl_gap", "Gaussian mixtures", "{study}", table="KL gap"),
        provenance=f"{RESULTS}/{{study}}/kl_gap.provenance.json",
    log:
        f"{RESULTS}/logs/kl_gap/{{study}}.log",
    params:
        **script_params("kl_gap"),
        seed=CONFIG.seed,
        dimensions=setting("dimensions"),
        conditions=conditions_of,
        variants=lambda w: study_of(w).variants(),


use rule step as trends with:
    input:
        f"{RESULTS}/{{study}}/gaps.npz",
    output:
        table=report_file(
            f"{RESULTS}/{{study}}/trends.csv", "trends", "Gaussian mixtures", "{study}", table="Trends and verdicts"
        ),
        provenance=f"{RESULTS}/{{study}}/trends.provenance.json",
    log:
        f"{RESULTS}/logs/trends/{{study}}.log",
    params:
        **script_params("trends"),
        seed=CONFIG.seed,
        sweeps=sweeps_of,
        variants=lambda w: study_of(w).variants(),


use rule step as accuracy with:
    input:
        lambda w: artifacts(
            w.study,
            [f"fit_{source}.npz" for source in fits_of(w.study)]
            + [f"divergences_{estimator}.npz" for estimator in study_of(w).estimators],
        ),
    output:
        fits=f"{RESULTS}/{{study}}/fits.csv",
        divergences=f"{RESULTS}/{{study}}/divergences.csv",
        provenance=f"{RESULTS}/{{study}}/accuracy.provenance.json",
    log:
        f"{RESULTS}/logs/accuracy/{{study}}.log",
    params:
        **script_params("accuracy"),
        conditions=conditions_of,
        fits=lambda w: fits_of(w.study),
        settings=lambda w: {e: getattr(study_of(w), e).model_dump() for e in study_of(w).estimators},
        covariances=setting("covariances"),
