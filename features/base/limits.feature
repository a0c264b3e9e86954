@chat
Feature: Sampling and limits
  What the client asks of the sampler is done, or refused; it is never dropped in silence.

  Scenario: The reply ends at the token limit, <delivery>
    Given replies are <delivery>
    And at most 8 tokens
    When I ask "Write a story about a fox."
    Then the reply is not empty
    And the finish reason is "length"
    And the completion tokens are 8

  Scenario: One token is a reply
    Given at most 1 tokens
    When I ask "What is the capital of France?"
    Then the reply has at most 1 words
    And the finish reason is "length"
    And the completion tokens are 1

  @W046
  Scenario: The newer name of the token limit is understood
    Given the parameter "max_tokens" is left out
    And the parameter "max_completion_tokens" is 8
    When I ask "Write a story about a fox."
    Then the reply is not empty
    And the finish reason is "length"
    And the completion tokens are 8

  Scenario: A short answer is not stretched to the limit
    Given at most 64 tokens
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    And the finish reason is "stop"
    And the completion tokens are at most 16

  @W046
  Scenario: A stop text ends the reply before it appears, <delivery>
    Given replies are <delivery>
    And at most 16 tokens
    And the stop text "Paris"
    When I ask "What is the capital of France?"
    Then the reply is "The capital of France is"
    And the finish reason is "stop"

  Scenario: A stop text of several tokens ends the reply
    Given at most 32 tokens
    And the stop text "3. 3"
    When I ask "Count from 1 to 10."
    Then the reply mentions "2. 2"
    And the reply does not contain "3. 3"
    And the reply does not contain "4. 4"
    And the finish reason is "stop"

  Scenario: The first of several stop texts ends the reply
    Given the stop texts:
      | zebra |
      | Green |
      | Blue  |
    When I ask "Name three colors."
    Then the reply mentions "Red"
    And the reply mentions none of:
      | Green |
      | Blue  |
    And the finish reason is "stop"

  Scenario: A stop text that does not come changes nothing
    Given the stop text "zebra"
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    And the finish reason is "stop"

  Scenario: At temperature 0 the answer is always the same
    When I ask "Name three colors." 2 times
    Then the reply mentions "Red"
    And all replies are the same

  @W046
  Scenario: The same seed tells the same story
    Given the temperature is 1
    And the seed is 11
    And at most 16 tokens
    When I ask "Write a story about a fox." 2 times
    Then the reply is not empty
    And both replies are the same

  Scenario: Other seeds tell other stories
    Given the temperature is 1
    And at most 16 tokens
    And the seed is 11
    When I ask "Write a story about a fox."
    Then the reply is not empty
    Given the seed is 12
    When I ask "Write a story about a fox."
    Then the reply is not empty
    Given the seed is 13
    When I ask "Write a story about a fox."
    Then not all replies are the same

  @W046
  Scenario: A token that is favored above all is all that comes
    Given the parameter "logit_bias" is {"1000": 100}
    And at most 4 tokens
    When I ask "What is the capital of France?"
    Then the reply is not empty
    When I ask "Name three colors."
    Then both replies are the same

  Scenario: A narrow top p leaves only the likeliest words
    Given the temperature is 1
    And top p is 0.01
    When I ask "What is the capital of France?"
    Then the reply is "The capital of France is Paris."

  @W024 @W046
  Scenario: Two choices are two answers
    Given 2 choices are asked for
    And the temperature is 1
    And at most 8 tokens
    When I ask "Write a story about a fox."
    Then the reply has 2 choices
    And every choice is not empty
    And the choices are numbered from 0

  Scenario: Two choices at temperature 0 are two equal answers
    Given 2 choices are asked for
    And at most 16 tokens
    When I ask "What is the capital of France?"
    Then the reply has 2 choices
    And every choice is not empty
    And the reply mentions "Paris"

  Scenario: All choices are counted
    Given 2 choices are asked for
    And the temperature is 1
    And at most 8 tokens
    When I ask "Write a story about a fox."
    Then the completion tokens are 16

  Scenario: Log probabilities come with every token and its bytes
    Given the parameter "logprobs" is true
    And the parameter "top_logprobs" is 2
    And at most 4 tokens
    When I ask "What is the capital of France?"
    Then the request succeeds
    And the response fits the schema:
      """
      type: object
      properties:
        choices:
          type: array
          items:
            type: object
            required: [logprobs]
            properties:
              logprobs:
                type: object
                required: [content]
                properties: {content: {type: array, minItems: 1, items: {$ref: '#/$defs/token'}}}
      $defs:
        token:
          type: object
          required: [token, logprob, bytes, top_logprobs]
          properties:
            token: {type: string}
            logprob: {type: number, maximum: 0}
            bytes: {type: [array, 'null'], items: {type: integer, minimum: 0, maximum: 255}}
            top_logprobs: {type: array, minItems: 1, maxItems: 2, items: {type: object, required: [token, logprob, bytes]}}
      """
