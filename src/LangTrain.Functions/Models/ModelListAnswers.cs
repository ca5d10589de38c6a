using System.Collections.Concurrent;
using System.Text.Json;
using LangTrain.Contracts;
using LangTrain.Contracts.Models;
using LangTrain.Core.Models;
using Microsoft.AspNetCore.Http;

namespace LangTrain.Functions.Models;

/// <summary>The whole lists of models as they were written last, for clients that ask again and again. Thread-safe; one a process.</summary>
/// <remarks>A list is written anew as soon as any of its models is another object, so that nothing old is ever answered.</remarks>
public sealed class ModelListAnswers
{
    private const int MostAccounts = 500, MostModels = 200;

    private readonly ConcurrentDictionary<string, Written> _written = new(StringComparer.Ordinal);

    /// <summary>The answer with all models of an account.</summary>
    public IResult All(string accountId, IReadOnlyList<StoredModel> models)
    {
        ArgumentNullException.ThrowIfNull(models);
        if (!_written.TryGetValue(accountId, out var written) || !written.IsOf(models))
        {
            var answers = models.Select(model => model.ToAnswer()).ToArray();
            written = new Written([.. models], JsonSerializer.SerializeToUtf8Bytes(ListAnswer.Of(answers, false, (ModelAnswer model) => model.Id), ApiJson.Wire.ListAnswerModelAnswer));
            if (_written.Count >= MostAccounts)
            {
                _written.Clear();
            }

            if (models.Count <= MostModels)
            {
                _written[accountId] = written;
            }
        }

        return TypedResults.Bytes(written.Json, "application/json; charset=utf-8");
    }

    private sealed record Written(StoredModel[] Models, byte[] Json)
    {
        public bool IsOf(IReadOnlyList<StoredModel> models)
        {
            if (models.Count != Models.Length)
            {
                return false;
            }

            for (var i = 0; i < Models.Length; i++)
            {
                if (!ReferenceEquals(models[i], Models[i]))
                {
                    return false;
                }
            }

            return true;
        }
    }
}
