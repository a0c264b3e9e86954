@tokenize
Feature: Token counts
  A client that counts before it sends must come to what it is billed for afterwards.

  @W170
  Scenario: A question is counted as it is billed
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    And the server counts the prompt as it billed it

  @W170
  Scenario: A conversation is counted as it is billed
    Given the system prompt "Answer in one sentence."
    When I ask "What is the capital of France?"
    And I continue with "And of Germany?"
    Then the reply is not empty
    And the server counts the prompt as it billed it

  @tools @W170
  Scenario: Tools are counted as they are billed
    Given the tools get_weather, get_time
    When I ask "What is the weather in Paris?"
    Then the reply calls get_weather
    And the server counts the prompt as it billed it

  Scenario Outline: A text becomes tokens and comes back: <text>
    When I tokenize "<text>"
    Then the request succeeds
    And the tokens give the same text back

    Examples:
      | text                             |
      | The capital of France is Paris.  |
      | Ünïcödé, 你好, 🦊                |
      | two  spaces, a tab\t, a line\nend |
      | <\|im_start\|>user               |

  @W160
  Scenario: An id that is no token is refused
    When I post to "/detokenize":
      """
      {"model": "{{model}}", "tokens": [99999999]}
      """
    Then the request is refused
    And the server is still up
