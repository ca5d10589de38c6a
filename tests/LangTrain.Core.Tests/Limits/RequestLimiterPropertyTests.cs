using FsCheck;
using FsCheck.Fluent;
using LangTrain.Core.Accounts;
using LangTrain.Core.Limits;
using LangTrain.Testing;

namespace LangTrain.Core.Tests.Limits;

/// <summary>Twenty instances over one store, with clocks that move and instances that die: no window lets more through than its limit.</summary>
public sealed class RequestLimiterPropertyTests
{
    private const int Instances = 20, PerMinute = 30, PerDay = 100;

    private static readonly DateTimeOffset Start = new(2026, 1, 2, 23, 50, 30, TimeSpan.Zero);
    private static readonly Account Account = Some.Account(tier: "free") with { RequestsPerMinute = PerMinute, RequestsPerDay = PerDay };

    /// <summary>One step of a run.</summary>
    /// <param name="Kind">What is done.</param>
    /// <param name="Number">Which instance, or how much.</param>
    private sealed record Step(StepKind Kind, int Number);

    private enum StepKind
    {
        Requests,
        Seconds,
        ToNextMinute,
        ToNextDay,
        Back,
        Death,
    }

    [Fact]
    public void No_window_of_a_clock_that_goes_forward_lets_more_through() => Check(Steps(canGoBack: false), steps =>
    {
        var (minutes, days) = (new Dictionary<DateTimeOffset, int>(), new Dictionary<DateTime, int>());
        Run(steps, new World(), passed =>
        {
            minutes[MinuteOf(passed)] = minutes.GetValueOrDefault(MinuteOf(passed)) + 1;
            days[passed.UtcDateTime.Date] = days.GetValueOrDefault(passed.UtcDateTime.Date) + 1;
        });
        Assert.All(minutes, window => Assert.InRange(window.Value, 1, PerMinute));
        Assert.All(days, window => Assert.InRange(window.Value, 1, PerDay));
    });

    [Fact]
    public void A_clock_that_is_set_back_opens_no_window_twice() => Check(Steps(canGoBack: true), steps =>
    {
        var (minutes, days) = (new HashSet<DateTimeOffset>(), new HashSet<DateTime>());
        var (latest, passes) = (DateTimeOffset.MinValue, 0);
        Run(steps, new World(), passed =>
        {
            // A request of an earlier time is counted in the latest window that was opened.
            latest = passed > latest ? passed : latest;
            minutes.Add(MinuteOf(latest));
            days.Add(latest.UtcDateTime.Date);
            passes++;
            Assert.InRange(passes, 1, Math.Min(minutes.Count * PerMinute, days.Count * PerDay));
        });
    });

    [Fact]
    public async Task What_dies_with_a_block_costs_the_window_no_more_than_that_block()
    {
        var world = new World();
        // Each takes a block, uses one request of it, and dies.
        var passed = 0;
        for (var i = 0; i < 10; i++)
        {
            passed += (await world.Limiters[i].CountAsync(Account)).Allowed ? 1 : 0;
            world.Limiters[i] = world.New();
        }

        for (var i = 0; i < PerMinute; i++)
        {
            passed += (await world.Limiters[10 + (i % 10)].CountAsync(Account)).Allowed ? 1 : 0;
        }

        // A 16th of what is left is 1 for so small a limit: nothing at all is lost.
        Assert.Equal(PerMinute, passed);
        world.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.True((await world.Limiters[10].CountAsync(Account)).Allowed);
    }

    [Fact]
    public async Task A_request_costs_at_most_one_round_trip_also_when_twenty_instances_share_a_small_limit()
    {
        var store = new InMemoryRequestQuotaStore();
        var clock = new ManualTimeProvider();
        var limiters = Enumerable.Range(0, Instances).Select(_ => new RequestLimiter(store, clock)).ToArray();
        var requests = 0;
        for (var minute = 0; minute < 10; minute++, clock.Advance(TimeSpan.FromMinutes(1)))
        {
            for (var i = 0; i < 100; i++, requests++)
            {
                await limiters[i % Instances].CountAsync(Some.Account(tier: "free"));
            }
        }

        Assert.InRange(store.Takings, 1, requests);
    }

    private static void Run(IReadOnlyList<Step> steps, World world, Action<DateTimeOffset> passed)
    {
        var clock = world.Clock;
        foreach (var (kind, number) in steps)
        {
            var now = clock.GetUtcNow();
            switch (kind)
            {
                case StepKind.Requests:
                    for (var i = 0; i < 1 + (number % 40); i++)
                    {
                        if (world.Limiters[(number + (i * 7)) % Instances].CountAsync(Account).AsTask().GetAwaiter().GetResult().Allowed)
                        {
                            passed(now);
                        }
                    }

                    break;
                case StepKind.Seconds: clock.Advance(TimeSpan.FromSeconds(number % 50)); break;
                case StepKind.ToNextMinute: clock.Advance(MinuteOf(now).AddMinutes(1) - now); break;
                case StepKind.ToNextDay: clock.Advance(now.UtcDateTime.Date.AddDays(1) - now.UtcDateTime); break;
                case StepKind.Back: clock.Advance(-TimeSpan.FromSeconds(number % 200)); break;
                default: world.Limiters[number % Instances] = world.New(); break;
            }
        }
    }

    private static Gen<Step[]> Steps(bool canGoBack) =>
        (from kind in Gen.Frequency(
            (6, Gen.Constant(StepKind.Requests)),
            (2, Gen.Constant(StepKind.Seconds)),
            (2, Gen.Constant(StepKind.ToNextMinute)),
            (1, Gen.Constant(StepKind.ToNextDay)),
            (1, Gen.Constant(StepKind.Death)),
            (canGoBack ? 2 : 0, Gen.Constant(StepKind.Back)))
         from number in Gen.Choose(0, 1000)
         select new Step(kind, number)).ArrayOf();

    private static void Check(Gen<Step[]> steps, Action<Step[]> holds) =>
        Prop.ForAll(steps.ToArbitrary(), holds).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    private static DateTimeOffset MinuteOf(DateTimeOffset at) => new(at.UtcTicks - (at.UtcTicks % TimeSpan.TicksPerMinute), TimeSpan.Zero);

    private sealed class World
    {
        private readonly InMemoryRequestQuotaStore _store = new();

        public World() => Limiters = [.. Enumerable.Range(0, Instances).Select(_ => New())];

        public ManualTimeProvider Clock { get; } = new(Start);

        public RequestLimiter[] Limiters { get; }

        public RequestLimiter New() => new(_store, Clock);
    }
}
